//! Tests of the check of the outbox, and of when it stops relays.

use std::time::Duration;

use adapter_outbox::Lane;
use adapter_outbox::OutboxCheck;
use application::relay::{Claim, Outbox};
use sqlx::{AssertSqlSafe, Executor};

use super::{Fixture, another_order_in, publish, two_orders_in_one_lane};

impl Fixture {
    pub(super) async fn execute(&self, sql: &str) {
        self.database.pool().execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
    }

    /// Sets the sequence of a lane, as after a restore in two parts.
    pub(super) async fn set_sequence(&self, lane: Lane, last: i64) {
        self.execute(&format!("SELECT setval('{}', {last})", lane.sequence())).await;
    }

    pub(super) fn check(&self) -> OutboxCheck {
        OutboxCheck::new(&self.database, &crate::OUTBOX, false)
    }
}

async fn assert_no_problem(check: &OutboxCheck) {
    assert_eq!(check.run().await.unwrap(), None);
}

async fn assert_stopped(check: &OutboxCheck, why: &str) {
    let reason = check.run().await.unwrap().expect("a reason to stop");
    assert!(reason.contains(why), "{reason}");
}

#[tokio::test]
async fn the_first_check_accepts_an_outbox_without_problems_and_so_do_later_checks() {
    let fixture = Fixture::new().await;
    let check = fixture.check();
    assert_no_problem(&check).await;
    for _ in 0..3 {
        fixture.save(&two_orders_in_one_lane().0).await;
        publish(fixture.claim().await).await;
        assert_no_problem(&check).await;
    }
    assert_no_problem(&fixture.check()).await;
}

#[tokio::test]
async fn a_sequence_below_its_cursor_stops_all_relays_until_an_adoption() {
    let fixture = Fixture::new().await;
    let order = two_orders_in_one_lane().0;
    for _ in 0..3 {
        fixture.save(&another_order_in(order.events.lane())).await;
        publish(fixture.claim().await).await;
    }
    assert_no_problem(&fixture.check()).await;
    fixture.set_sequence(order.events.lane(), 1).await;
    let lane = order.events.lane().get();
    let why =
        format!("lane {lane}: its sequence is at 1, behind its cursor at 3; run `order-jobs adopt");
    assert_stopped(&fixture.check(), &why).await;

    fixture.save(&order).await;
    // Somebody corrects the sequence, but the event is still below the cursor.
    fixture.set_sequence(order.events.lane(), 100).await;
    assert_stopped(&fixture.check(), &why).await;
    fixture.save(&another_order_in(order.events.lane())).await;
    assert!(fixture.outbox.claim(10).await.unwrap_err().is_unavailable());
}

#[tokio::test]
async fn the_first_check_finds_a_sequence_below_its_cursor() {
    let fixture = Fixture::new().await;
    let order = two_orders_in_one_lane().0;
    for _ in 0..2 {
        fixture.save(&another_order_in(order.events.lane())).await;
        publish(fixture.claim().await).await;
    }
    fixture.set_sequence(order.events.lane(), 1).await;
    assert_stopped(&fixture.check(), "behind its cursor at 2").await;
    assert_stopped(&fixture.check(), "behind its cursor at 2").await;
}

#[tokio::test]
async fn duplicate_positions_are_found_even_if_the_sequence_is_above_the_cursor_again() {
    let fixture = Fixture::new().await;
    let lane = two_orders_in_one_lane().0.events.lane();
    assert_no_problem(&fixture.check()).await;
    for _ in 0..3 {
        fixture.save(&another_order_in(lane)).await;
    }
    publish(fixture.claim().await).await;
    fixture.set_sequence(lane, 2).await;
    for _ in 0..4 {
        fixture.save(&another_order_in(lane)).await;
    }
    let why = format!("lane {}: two events have its position 3", lane.get());
    assert_stopped(&fixture.check(), &why).await;
}

#[tokio::test]
async fn missing_lanes_missing_sequences_and_wrong_sequence_settings_are_found() {
    for (damage, why) in [
        ("DELETE FROM ordering.outbox_lanes WHERE lane = 7", "lane 7: it has no row"),
        ("DROP SEQUENCE ordering.outbox_lane_7", "lane 7: its sequence is missing"),
        ("ALTER SEQUENCE ordering.outbox_lane_7 CACHE 20", "lane 7: its sequence has a cache"),
        ("ALTER SEQUENCE ordering.outbox_lane_7 INCREMENT BY -1 MINVALUE -9", "lane 7"),
        ("DELETE FROM ordering.outbox_lanes", "lane 0 (and 15 more lanes): it has no row"),
    ] {
        let fixture = Fixture::new().await;
        assert_no_problem(&fixture.check()).await;
        fixture.execute(damage).await;
        assert_stopped(&fixture.check(), why).await;
    }
}

#[tokio::test]
async fn a_claim_on_another_server_is_refused_before_the_next_check() {
    for (change, why) in [
        ("system_identifier = system_identifier - 1", "on another Postgres server than before"),
        ("timeline = timeline + 1", "promoted or restored since the last check"),
    ] {
        let fixture = Fixture::new().await;
        let check = fixture.check();
        assert_no_problem(&check).await;
        let change = format!("UPDATE ordering.outbox_identity SET {change}");
        fixture.execute(&change).await;
        fixture.save(&two_orders_in_one_lane().0).await;
        let refused = fixture.outbox.claim(10).await.unwrap_err();
        assert!(refused.is_unavailable(), "{refused:?}");
        assert_stopped(&check, why).await;
    }
}

#[tokio::test]
async fn a_promotion_is_adopted_only_if_the_settings_allow_it_and_no_position_is_missing() {
    let fixture = Fixture::new().await;
    let (manual, automatic) =
        (fixture.check(), OutboxCheck::new(&fixture.database, &crate::OUTBOX, true));
    assert_no_problem(&manual).await;
    let promoted = "UPDATE ordering.outbox_identity SET timeline = timeline - 1";
    fixture.execute(promoted).await;
    assert_stopped(&manual, "promoted").await;
    assert_no_problem(&automatic).await;
    assert_no_problem(&manual).await;
    fixture.save(&two_orders_in_one_lane().0).await;
    publish(fixture.claim().await).await;

    // Positions that a relay has seen are missing.
    assert_no_problem(&automatic).await;
    fixture.execute(promoted).await;
    fixture
        .execute(
            "TRUNCATE ordering.outbox;
             UPDATE ordering.outbox_lanes SET through = 0;
             UPDATE ordering.outbox_identity SET reached = NULL;
             SELECT setval('ordering.outbox_lane_' || l, 1, false) FROM generate_series(0, 15) AS l",
        )
        .await;
    assert_stopped(&automatic, "was used before").await;
    assert_stopped(&OutboxCheck::new(&fixture.database, &crate::OUTBOX, true), "was used before")
        .await;
}

#[tokio::test]
async fn a_relay_disconnects_from_a_replaced_primary_within_30_seconds() {
    let fixture = Fixture::new().await;
    let lifetime = fixture.outbox.connection_lifetime();
    assert!(lifetime.is_some_and(|lifetime| lifetime <= Duration::from_secs(30)));
}

#[tokio::test]
async fn a_claim_that_began_before_a_promotion_can_be_settled() {
    let fixture = Fixture::new().await;
    assert_no_problem(&fixture.check()).await;
    fixture.save(&two_orders_in_one_lane().0).await;
    let claim = fixture.claim().await;
    fixture.execute("UPDATE ordering.outbox_identity SET timeline = timeline + 1").await;
    assert_eq!(claim.records().len(), 1);
    publish(claim).await;
}
