//! Tests of adoption: all events are published, and the events of each order stay in sequence.

use std::collections::HashMap;
use std::sync::Arc;

use adapter_outbox::Lane;
use adapter_outbox::{Adoption, AdoptionReport};
use application::dead_letters::OutboxDeadLetters;
use application::ordering::{Cause, Orders};
use application::relay::{Claim, Outbox, Verdict};
use domain::OrderId;
use domain::ordering::PharmacyNews;
use runtime::clock;
use sqlx::AssertSqlSafe;
use sqlx::types::Uuid;

use super::{Fixture, another_order_in, eventually, open, publish, two_orders_in_one_lane};
use crate::Retention;
use crate::save::{Save, Write};

/// Sets all sequences back, as after an upgrade by logical replication.
const BACK_TO_1: &str =
    "SELECT setval('ordering.outbox_lane_' || l, 1) FROM generate_series(0, 15) AS l";

impl Fixture {
    async fn adopt(&self) -> AdoptionReport {
        let report = Adoption::new(&self.database, &crate::OUTBOX, None).adopt().await.unwrap();
        assert_eq!(self.check().run().await.unwrap(), None, "the outbox has no problem now");
        report
    }

    /// A lane in which `n` orders were published and a check found no problem.
    async fn lane_with(&self, n: usize) -> Lane {
        let lane = two_orders_in_one_lane().0.events.lane();
        for _ in 0..n {
            self.save(&another_order_in(lane)).await;
        }
        if n > 0 {
            publish(self.claim().await).await;
        }
        assert_eq!(self.check().run().await.unwrap(), None);
        lane
    }

    /// Publishes all events. Returns id, order and version of each, in the sequence of publication.
    async fn relay_all(&self) -> Vec<(Uuid, Uuid, i64)> {
        let mut published = Vec::new();
        eventually("all events are published", async || {
            while let Some(claim) = self.outbox.claim(3).await.unwrap() {
                published.extend(claim.records().iter().map(|record| {
                    (record.event_id.get(), record.aggregate_id, record.aggregate_version)
                }));
                publish(claim).await;
            }
            self.statuses().await.iter().all(|status| status == "processed")
        })
        .await;
        let mut versions: HashMap<Uuid, i64> = HashMap::new();
        for (_, order, version) in &published {
            let before = versions.insert(*order, *version);
            assert!(before.is_none_or(|before| before < *version), "{order} is out of order");
        }
        published
    }

    async fn wait_until_a_session_waits_for(&self, lock: &str) {
        let waiting = format!(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND {lock} AND pid IN (
                 SELECT pid FROM pg_stat_activity WHERE datname = current_database())"
        );
        eventually("a session waits for the lock", async || {
            let query = sqlx::query_scalar(AssertSqlSafe(waiting.clone()));
            let waiting: i64 = query.fetch_one(self.database.pool()).await.unwrap();
            waiting > 0
        })
        .await;
    }

    /// Runs the check, which stops all relays.
    async fn check_stops_relays(&self) {
        assert!(self.check().run().await.unwrap().is_some());
    }
}

fn events_of(published: &[(Uuid, Uuid, i64)]) -> Vec<Uuid> {
    published.iter().map(|(event, ..)| *event).collect()
}

#[tokio::test]
async fn events_below_their_cursor_are_published_after_an_adoption() {
    let fixture = Fixture::new().await;
    let lane = fixture.lane_with(5).await;
    // So that only the new events count as unpublished.
    fixture.execute("UPDATE ordering.outbox SET recorded_at = recorded_at - interval '1 h'").await;
    fixture.set_sequence(lane, 1).await;
    let (first, second) = (another_order_in(lane), another_order_in(lane));
    fixture.save(&first).await;
    fixture.save(&second).await;
    let cancelled = fixture.cancel(&first).await;
    fixture.check_stops_relays().await;
    fixture.save(&another_order_in(lane)).await;

    let preview = Adoption::new(&fixture.database, &crate::OUTBOX, None).preview().await.unwrap();
    assert!(preview.found_problems());
    fixture.check_stops_relays().await;
    let report = fixture.adopt().await;
    // 4 new events, and the 4 old ones that share a position with them.
    assert_eq!((preview.events(), report.events()), (4 + 4, 4 + 4), "{report}");
    assert_eq!(fixture.statuses().await.iter().filter(|status| *status == "pending").count(), 8);
    let published = events_of(&fixture.relay_all().await);
    for event in [first.events.events[0].id, second.events.events[0].id, cancelled] {
        assert!(published.contains(&event));
    }
    assert!(!fixture.adopt().await.found_problems());
}

#[tokio::test]
async fn an_adoption_waits_for_a_writer_that_has_taken_a_position() {
    let fixture = Fixture::new().await;
    let lane = fixture.lane_with(3).await;
    fixture.set_sequence(lane, 1).await;
    fixture.check_stops_relays().await;
    let mut slow = fixture.database.pool().begin().await.unwrap();
    let order = another_order_in(lane);
    assert_eq!(order.run(&mut slow).await.unwrap(), Write::Written);

    let adoption = Adoption::new(&fixture.database, &crate::OUTBOX, None);
    let adopting = tokio::spawn(async move { adoption.adopt().await });
    fixture.wait_until_a_session_waits_for("relation = 'ordering.outbox'::regclass").await;
    slow.commit().await.unwrap();
    adopting.await.unwrap().unwrap();
    assert!(events_of(&fixture.relay_all().await).contains(&order.events.events[0].id));
}

#[tokio::test]
async fn events_of_an_order_stay_in_sequence_if_only_some_are_below_the_cursor() {
    let fixture = Fixture::new().await;
    let lane = fixture.lane_with(3).await;
    fixture.set_sequence(lane, 2).await;
    let order = another_order_in(lane);
    // Its position is 3, at the cursor. The position of the cancellation is 5, above it.
    fixture.save(&order).await;
    fixture.save(&another_order_in(lane)).await;
    let cancelled = fixture.cancel(&order).await;
    fixture.check_stops_relays().await;
    fixture.adopt().await;
    let published = events_of(&fixture.relay_all().await);
    let index = |event| published.iter().position(|other| *other == event).unwrap();
    assert!(index(order.events.events[0].id) < index(cancelled));
}

#[tokio::test]
async fn an_adoption_waits_for_a_writer_that_changes_an_affected_order() {
    let fixture = Fixture::new().await;
    let lane = fixture.lane_with(3).await;
    fixture.set_sequence(lane, 1).await;
    let placed = another_order_in(lane);
    fixture.save(&placed).await;
    fixture.check_stops_relays().await;
    let mut writer = fixture.database.pool().begin().await.unwrap();
    sqlx::query("SELECT FROM ordering.orders WHERE id = $1 FOR NO KEY UPDATE")
        .bind(placed.order.id)
        .execute(&mut *writer)
        .await
        .unwrap();

    let adoption = Adoption::new(&fixture.database, &crate::OUTBOX, None);
    let adopting = tokio::spawn(async move { adoption.adopt().await });
    fixture.wait_until_a_session_waits_for("locktype = 'transactionid'").await;
    let mut order = fixture.orders.find(OrderId::new(placed.order.id)).await.unwrap().unwrap();
    assert!(order.follow(PharmacyNews::Cancelled, clock::event_stamp()).is_applied());
    let cancelled = Save::of(&order, &Cause::Unkeyed, adapter_avro::encode_event).unwrap();
    assert_eq!(cancelled.run(&mut writer).await.unwrap(), Write::Written);
    writer.commit().await.unwrap();
    adopting.await.unwrap().unwrap();
    let published = events_of(&fixture.relay_all().await);
    assert!(
        published.contains(&placed.events.events[0].id)
            && published.contains(&cancelled.events.events[0].id)
    );
}

#[tokio::test]
async fn no_event_is_lost_or_overtaken_if_orders_are_saved_during_adoptions() {
    let fixture = Arc::new(Fixture::new().await);
    fixture.lane_with(3).await;
    for _ in 0..3 {
        let writers: Vec<_> = (0..4)
            .map(|_| {
                let fixture = fixture.clone();
                tokio::spawn(async move {
                    for _ in 0..30 {
                        let order = another_order_in(two_orders_in_one_lane().0.events.lane());
                        fixture.save(&order).await;
                        fixture.cancel(&order).await;
                    }
                })
            })
            .collect();
        fixture.execute(BACK_TO_1).await;
        fixture.check_stops_relays().await;
        fixture.adopt().await;
        for writer in writers {
            writer.await.unwrap();
        }
        let before = "SELECT event_id FROM ordering.outbox_status WHERE NOT processed";
        let due: Vec<Uuid> =
            sqlx::query_scalar(before).fetch_all(fixture.database.pool()).await.unwrap();
        let published = events_of(&fixture.relay_all().await);
        assert!(due.iter().all(|event| published.contains(event)));
    }
    let orders = "SELECT sum(version)::bigint, (SELECT count(*) FROM ordering.outbox)
                  FROM ordering.orders";
    let counts: (i64, i64) =
        sqlx::query_as(orders).fetch_one(fixture.database.pool()).await.unwrap();
    assert_eq!(counts.0, counts.1, "all events of all orders are in the outbox");
}

#[tokio::test]
async fn events_that_share_a_position_are_all_published_and_a_dead_letter_stays_dead() {
    let fixture = Fixture::new().await;
    let lane = fixture.lane_with(0).await;
    let (dead, failed) = (another_order_in(lane), another_order_in(lane));
    fixture.save(&dead).await;
    fixture.save(&failed).await;
    let verdicts = [Verdict::Refused("too large".to_owned()), Verdict::Failed("no".to_owned())];
    fixture.claim().await.settle(&verdicts).await.unwrap();
    fixture.execute(&BACK_TO_1.replace(", 1)", ", 1, false)")).await;
    let (at_1, at_2) = (another_order_in(lane), another_order_in(lane));
    fixture.save(&at_1).await;
    fixture.save(&at_2).await;
    fixture.check_stops_relays().await;
    fixture.adopt().await;
    assert_eq!(fixture.statuses().await, ["dead", "pending", "pending", "pending"]);
    assert!(fixture.stragglers().await.is_empty());
    let mut published = Vec::new();
    while published.len() < 3 {
        published.extend(fixture.relay_one().await);
    }
    for save in [&failed, &at_1, &at_2] {
        assert!(published.contains(&save.events.events[0].id));
    }
    let letters = adapter_outbox::PgOutboxDeadLetters::new(&fixture.database);
    let waiting = open(&letters).await;
    assert_eq!(waiting.len(), 1);
    assert!(letters.make_due(waiting[0].id).await.unwrap());
    assert_eq!(fixture.relay_one().await, dead.event_ids());
}

#[tokio::test]
async fn an_adoption_repairs_all_faults_of_lanes_sequences_and_the_stored_identity() {
    for damage in [
        "DELETE FROM ordering.outbox_lanes",
        "DROP SEQUENCE ordering.outbox_lane_3; DROP SEQUENCE ordering.outbox_lane_4",
        "DO $$ BEGIN FOR l IN 0..15 LOOP
             EXECUTE format('ALTER SEQUENCE ordering.outbox_lane_%s CACHE 20', l); END LOOP; END $$",
        "UPDATE ordering.outbox_lanes SET through = 1000000",
        "UPDATE ordering.outbox_identity SET system_identifier = 1, timeline = 9",
        "UPDATE ordering.outbox_identity SET reached = array_fill(7000::bigint, '{16}')",
        "DELETE FROM ordering.outbox_identity;
         SELECT setval('ordering.outbox_lane_' || l, 1) FROM generate_series(0, 15) AS l",
    ] {
        let fixture = Fixture::new().await;
        let lane = fixture.lane_with(3).await;
        fixture.execute(damage).await;
        fixture.check_stops_relays().await;
        fixture.adopt().await;
        let order = another_order_in(lane);
        fixture.save(&order).await;
        assert!(events_of(&fixture.relay_all().await).contains(&order.events.events[0].id), "{damage}");
    }
}

#[tokio::test]
async fn positions_that_sessions_have_cached_are_not_used_after_an_adoption() {
    let fixture = Fixture::new().await;
    let lane = fixture.lane_with(1).await;
    fixture.execute(&format!("ALTER SEQUENCE {} CACHE 20", lane.sequence())).await;
    let mut with_cache = fixture.database.pool().acquire().await.unwrap();
    assert_eq!(another_order_in(lane).run(&mut with_cache).await.unwrap(), Write::Written);
    fixture.check_stops_relays().await;
    fixture.adopt().await;
    fixture.save(&another_order_in(lane)).await;
    fixture.relay_all().await;
    // The cached positions of this session are below the cursor now.
    let order: Save = another_order_in(lane);
    assert_eq!(order.run(&mut with_cache).await.unwrap(), Write::Written);
    assert_eq!(fixture.relay_one().await, order.event_ids());
}

#[tokio::test]
async fn an_interrupted_adoption_keeps_relays_stopped_until_it_is_repeated() {
    let fixture = Fixture::new().await;
    let lane = fixture.lane_with(3).await;
    fixture.set_sequence(lane, 1).await;
    let order = another_order_in(lane);
    fixture.save(&order).await;
    let mut session = fixture.database.pool().acquire().await.unwrap();
    adapter_outbox::repair_positions(&mut session, "order-jobs").await.unwrap();
    fixture.check_stops_relays().await;
    fixture.adopt().await;
    assert!(events_of(&fixture.relay_all().await).contains(&order.events.events[0].id));
}

#[tokio::test]
async fn a_day_with_adopted_events_is_kept_until_they_are_published() {
    let fixture = Fixture::new().await;
    let lane = fixture.lane_with(3).await;
    fixture.set_sequence(lane, 1).await;
    fixture.save(&another_order_in(lane)).await;
    fixture.check_stops_relays().await;
    fixture.adopt().await;
    fixture.move_all_days_back(30).await;
    let keep = Retention { events: std::time::Duration::from_hours(24), ..Retention::default() };
    let housekeeping = crate::Housekeeping::new(&fixture.database, keep);
    assert_eq!(housekeeping.tidy().await.days.dropped, 0);
    fixture.relay_all().await;
    assert_eq!(housekeeping.tidy().await.days.dropped, 1);
}
