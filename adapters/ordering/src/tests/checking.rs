//! The check of the outbox, and how far it stops relays.

use std::time::Duration;

use adapter_outbox::Lane;
use adapter_outbox::OutboxCheck;
use application::relay::{Claim, Outbox};
use sqlx::{AssertSqlSafe, Executor};

use super::{World, another_order_of, publish, two_orders_of_one_lane};

impl World {
    pub(super) async fn execute(&self, sql: &str) {
        self.database.pool().execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
    }

    /// Lets a lane's sequence go back, as after a restore in two parts.
    pub(super) async fn set_sequence(&self, lane: Lane, last: i64) {
        self.execute(&format!("SELECT setval('{}', {last})", lane.sequence())).await;
    }

    pub(super) fn check(&self) -> OutboxCheck {
        OutboxCheck::new(&self.database, false)
    }
}

async fn is_sound(check: &OutboxCheck) {
    assert_eq!(check.run().await.unwrap(), None);
}

async fn is_stopped(check: &OutboxCheck, why: &str) {
    let reason = check.run().await.unwrap().expect("something is wrong");
    assert!(reason.contains(why), "{reason}");
}

#[tokio::test]
async fn the_first_check_takes_a_sound_outbox_as_it_is_and_the_next_ones_find_it_sound() {
    let world = World::new().await;
    let check = world.check();
    is_sound(&check).await;
    for _ in 0..3 {
        world.save(&two_orders_of_one_lane().0).await;
        publish(world.claim().await).await;
        is_sound(&check).await;
    }
    is_sound(&world.check()).await;
}

#[tokio::test]
async fn a_sequence_behind_its_cursor_stops_all_relays_until_it_is_adopted() {
    let world = World::new().await;
    let order = two_orders_of_one_lane().0;
    for _ in 0..3 {
        world.save(&another_order_of(order.events.lane())).await;
        publish(world.claim().await).await;
    }
    is_sound(&world.check()).await;
    world.set_sequence(order.events.lane(), 1).await;
    let lane = order.events.lane().get();
    let why = format!("lane {lane}: its sequence is at 1, behind its cursor at 3; look with");
    is_stopped(&world.check(), &why).await;

    world.save(&order).await;
    // Somebody puts the sequence right, but not the event.
    world.set_sequence(order.events.lane(), 100).await;
    is_stopped(&world.check(), &why).await;
    world.save(&another_order_of(order.events.lane())).await;
    assert!(world.outbox.claim(10).await.unwrap_err().is_unavailable());
}

#[tokio::test]
async fn a_sequence_behind_is_found_by_the_very_first_check_as_well() {
    let world = World::new().await;
    let order = two_orders_of_one_lane().0;
    for _ in 0..2 {
        world.save(&another_order_of(order.events.lane())).await;
        publish(world.claim().await).await;
    }
    world.set_sequence(order.events.lane(), 1).await;
    is_stopped(&world.check(), "behind its cursor at 2").await;
    is_stopped(&world.check(), "behind its cursor at 2").await;
}

#[tokio::test]
async fn the_same_position_twice_is_found_even_if_the_sequence_has_overtaken_the_cursor_again() {
    let world = World::new().await;
    let lane = two_orders_of_one_lane().0.events.lane();
    is_sound(&world.check()).await;
    for _ in 0..3 {
        world.save(&another_order_of(lane)).await;
    }
    publish(world.claim().await).await;
    world.set_sequence(lane, 2).await;
    for _ in 0..4 {
        world.save(&another_order_of(lane)).await;
    }
    let why = format!("lane {}: two events have its position 3", lane.get());
    is_stopped(&world.check(), &why).await;
}

#[tokio::test]
async fn a_lane_that_is_not_there_and_a_sequence_that_gives_positions_in_blocks_are_found() {
    for (damage, why) in [
        ("DELETE FROM ordering.outbox_lanes WHERE lane = 7", "lane 7: it has no row"),
        ("DROP SEQUENCE ordering.outbox_lane_7", "lane 7: its sequence is missing"),
        ("ALTER SEQUENCE ordering.outbox_lane_7 CACHE 20", "lane 7: its sequence has a cache"),
        ("ALTER SEQUENCE ordering.outbox_lane_7 INCREMENT BY -1 MINVALUE -9", "lane 7"),
        ("DELETE FROM ordering.outbox_lanes", "lane 0 (and 15 more lanes): it has no row"),
    ] {
        let world = World::new().await;
        is_sound(&world.check()).await;
        world.execute(damage).await;
        is_stopped(&world.check(), why).await;
    }
}

#[tokio::test]
async fn another_server_is_refused_at_once_and_not_only_by_the_next_check() {
    for (change, why) in [
        ("system_identifier = system_identifier - 1", "in another Postgres than before"),
        ("timeline = timeline + 1", "promoted or restored since the last check"),
    ] {
        let world = World::new().await;
        let check = world.check();
        is_sound(&check).await;
        let change = format!("UPDATE ordering.outbox_identity SET {change}");
        world.execute(&change).await;
        world.save(&two_orders_of_one_lane().0).await;
        let refused = world.outbox.claim(10).await.unwrap_err();
        assert!(refused.is_unavailable(), "{refused:?}");
        is_stopped(&check, why).await;
    }
}

#[tokio::test]
async fn a_promotion_is_adopted_only_if_the_settings_say_so_and_nothing_is_lacking() {
    let world = World::new().await;
    let (cautious, bold) = (world.check(), OutboxCheck::new(&world.database, true));
    is_sound(&cautious).await;
    let promoted = "UPDATE ordering.outbox_identity SET timeline = timeline - 1";
    world.execute(promoted).await;
    is_stopped(&cautious, "promoted").await;
    is_sound(&bold).await;
    is_sound(&cautious).await;
    world.save(&two_orders_of_one_lane().0).await;
    publish(world.claim().await).await;

    // Positions that a relay has seen are not there any more.
    is_sound(&bold).await;
    world.execute(promoted).await;
    world
        .execute(
            "TRUNCATE ordering.outbox;
             UPDATE ordering.outbox_lanes SET through = 0;
             UPDATE ordering.outbox_identity SET reached = NULL;
             SELECT setval('ordering.outbox_lane_' || l, 1, false) FROM generate_series(0, 15) AS l",
        )
        .await;
    is_stopped(&bold, "was seen before").await;
    is_stopped(&OutboxCheck::new(&world.database, true), "was seen before").await;
}

#[tokio::test]
async fn a_relay_does_not_stay_for_long_with_a_primary_that_was_replaced() {
    let world = World::new().await;
    let lifetime = world.outbox.connection_lifetime();
    assert!(lifetime.is_some_and(|lifetime| lifetime <= Duration::from_secs(30)));
}

#[tokio::test]
async fn a_claim_that_was_begun_before_is_not_disturbed() {
    let world = World::new().await;
    is_sound(&world.check()).await;
    world.save(&two_orders_of_one_lane().0).await;
    let claim = world.claim().await;
    world.execute("UPDATE ordering.outbox_identity SET timeline = timeline + 1").await;
    assert_eq!(claim.records().len(), 1);
    publish(claim).await;
}
