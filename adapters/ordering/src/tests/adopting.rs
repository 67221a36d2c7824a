//! An outbox that is not sound is adopted: nothing stays unpublished, and orders keep their order.

use std::collections::HashMap;
use std::sync::Arc;

use adapter_outbox::Lane;
use adapter_outbox::{Adoption, AdoptionReport};
use application::dead_letters::OutboxDeadLetters;
use application::ordering::{Cause, Orders};
use application::relay::{Claim, Outbox, Verdict};
use domain::OrderId;
use runtime::clock;
use sqlx::AssertSqlSafe;
use sqlx::types::Uuid;

use super::{World, another_order_of, eventually, open, publish, two_orders_of_one_lane};
use crate::Keep;
use crate::save::{Save, Write};

/// All sequences go back, as after an upgrade by logical replication.
const BACK_TO_1: &str =
    "SELECT setval('ordering.outbox_lane_' || l, 1) FROM generate_series(0, 15) AS l";

impl World {
    async fn adopt(&self) -> AdoptionReport {
        let report = Adoption::new(&self.database, crate::AGGREGATES, None).adopt().await.unwrap();
        assert_eq!(self.check().run().await.unwrap(), None, "it is sound now");
        report
    }

    /// A lane in which `n` orders were published and the check found all well.
    async fn lane_with(&self, n: usize) -> Lane {
        let lane = two_orders_of_one_lane().0.events.lane();
        for _ in 0..n {
            self.save(&another_order_of(lane)).await;
        }
        if n > 0 {
            publish(self.claim().await).await;
        }
        assert_eq!(self.check().run().await.unwrap(), None);
        lane
    }

    /// Publishes all that is due: the events in the order of publication.
    async fn relay_all(&self) -> Vec<(Uuid, Uuid, i64)> {
        let mut published = Vec::new();
        eventually("all is published", async || {
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

    async fn somebody_waits_for(&self, lock: &str) {
        let waiting = format!(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND {lock} AND pid IN (
                 SELECT pid FROM pg_stat_activity WHERE datname = current_database())"
        );
        eventually("somebody waits", async || {
            let query = sqlx::query_scalar(AssertSqlSafe(waiting.clone()));
            let waiting: i64 = query.fetch_one(self.database.pool()).await.unwrap();
            waiting > 0
        })
        .await;
    }

    /// Stops relays, as the next check does.
    async fn is_stopped(&self) {
        assert!(self.check().run().await.unwrap().is_some());
    }
}

fn events_of(published: &[(Uuid, Uuid, i64)]) -> Vec<Uuid> {
    published.iter().map(|(event, ..)| *event).collect()
}

#[tokio::test]
async fn events_behind_their_cursor_are_published_after_an_adoption() {
    let world = World::new().await;
    let lane = world.lane_with(5).await;
    // So that only what is new counts as unpublished.
    world.execute("UPDATE ordering.outbox SET recorded_at = recorded_at - interval '1 h'").await;
    world.set_sequence(lane, 1).await;
    let (first, second) = (another_order_of(lane), another_order_of(lane));
    world.save(&first).await;
    world.save(&second).await;
    let cancelled = world.cancel(&first).await;
    world.is_stopped().await;
    world.save(&another_order_of(lane)).await;

    let looked = Adoption::new(&world.database, crate::AGGREGATES, None).look().await.unwrap();
    assert!(looked.found_something());
    world.is_stopped().await;
    let report = world.adopt().await;
    // The positions of 3 old ones were given again.
    assert_eq!((looked.events(), report.events()), (4 + 4, 4 + 4), "{report}");
    assert_eq!(world.statuses().await.iter().filter(|status| *status == "pending").count(), 8);
    let published = events_of(&world.relay_all().await);
    for event in [first.events.events[0].id, second.events.events[0].id, cancelled] {
        assert!(published.contains(&event));
    }
    assert!(!world.adopt().await.found_something());
}

#[tokio::test]
async fn a_writer_that_took_a_position_before_the_adoption_is_waited_for() {
    let world = World::new().await;
    let lane = world.lane_with(3).await;
    world.set_sequence(lane, 1).await;
    world.is_stopped().await;
    let mut slow = world.database.pool().begin().await.unwrap();
    let order = another_order_of(lane);
    assert_eq!(order.run(&mut slow).await.unwrap(), Write::Written);

    let adoption = Adoption::new(&world.database, crate::AGGREGATES, None);
    let adopting = tokio::spawn(async move { adoption.adopt().await });
    world.somebody_waits_for("relation = 'ordering.outbox'::regclass").await;
    slow.commit().await.unwrap();
    adopting.await.unwrap().unwrap();
    assert!(events_of(&world.relay_all().await).contains(&order.events.events[0].id));
}

#[tokio::test]
async fn an_order_keeps_its_order_whether_its_events_lie_behind_the_cursor_or_before_it() {
    let world = World::new().await;
    let lane = world.lane_with(3).await;
    world.set_sequence(lane, 2).await;
    let order = another_order_of(lane);
    // At 3, which the cursor has passed; the cancellation at 5, which it has not.
    world.save(&order).await;
    world.save(&another_order_of(lane)).await;
    let cancelled = world.cancel(&order).await;
    world.is_stopped().await;
    world.adopt().await;
    let published = events_of(&world.relay_all().await);
    let place = |event| published.iter().position(|other| *other == event).unwrap();
    assert!(place(order.events.events[0].id) < place(cancelled));
}

#[tokio::test]
async fn a_writer_that_changes_an_adopted_order_meanwhile_is_waited_for() {
    let world = World::new().await;
    let lane = world.lane_with(3).await;
    world.set_sequence(lane, 1).await;
    let placed = another_order_of(lane);
    world.save(&placed).await;
    world.is_stopped().await;
    let mut writer = world.database.pool().begin().await.unwrap();
    sqlx::query("SELECT FROM ordering.orders WHERE id = $1 FOR NO KEY UPDATE")
        .bind(placed.order.id)
        .execute(&mut *writer)
        .await
        .unwrap();

    let adoption = Adoption::new(&world.database, crate::AGGREGATES, None);
    let adopting = tokio::spawn(async move { adoption.adopt().await });
    world.somebody_waits_for("locktype = 'transactionid'").await;
    let mut order = world.orders.find(OrderId::new(placed.order.id)).await.unwrap().unwrap();
    assert!(order.cancel("no need".parse().unwrap(), clock::event_stamp()).is_applied());
    let cancelled = Save::of(&order, &Cause::Unkeyed, adapter_avro::encode_event).unwrap();
    assert_eq!(cancelled.run(&mut writer).await.unwrap(), Write::Written);
    writer.commit().await.unwrap();
    adopting.await.unwrap().unwrap();
    let published = events_of(&world.relay_all().await);
    assert!(
        published.contains(&placed.events.events[0].id)
            && published.contains(&cancelled.events.events[0].id)
    );
}

#[tokio::test]
async fn no_event_is_lost_or_overtaken_if_writers_go_on_while_sequences_go_back() {
    let world = Arc::new(World::new().await);
    world.lane_with(3).await;
    for _ in 0..3 {
        let writers: Vec<_> = (0..4)
            .map(|_| {
                let world = world.clone();
                tokio::spawn(async move {
                    for _ in 0..30 {
                        let order = another_order_of(two_orders_of_one_lane().0.events.lane());
                        world.save(&order).await;
                        world.cancel(&order).await;
                    }
                })
            })
            .collect();
        world.execute(BACK_TO_1).await;
        world.is_stopped().await;
        world.adopt().await;
        for writer in writers {
            writer.await.unwrap();
        }
        let before = "SELECT event_id FROM ordering.outbox_status WHERE NOT processed";
        let due: Vec<Uuid> =
            sqlx::query_scalar(before).fetch_all(world.database.pool()).await.unwrap();
        let published = events_of(&world.relay_all().await);
        assert!(due.iter().all(|event| published.contains(event)));
    }
    let orders = "SELECT sum(version)::bigint, (SELECT count(*) FROM ordering.outbox)
                  FROM ordering.orders";
    let counts: (i64, i64) = sqlx::query_as(orders).fetch_one(world.database.pool()).await.unwrap();
    assert_eq!(counts.0, counts.1, "every event of every order is there");
}

#[tokio::test]
async fn two_events_of_one_position_are_both_published_and_a_dead_one_stays_dead() {
    let world = World::new().await;
    let lane = world.lane_with(0).await;
    let (dead, failed) = (another_order_of(lane), another_order_of(lane));
    world.save(&dead).await;
    world.save(&failed).await;
    let verdicts = [Verdict::Refused("too large".to_owned()), Verdict::Failed("no".to_owned())];
    world.claim().await.settle(&verdicts).await.unwrap();
    world.execute(&BACK_TO_1.replace(", 1)", ", 1, false)")).await;
    let (at_1, at_2) = (another_order_of(lane), another_order_of(lane));
    world.save(&at_1).await;
    world.save(&at_2).await;
    world.is_stopped().await;
    world.adopt().await;
    assert_eq!(world.statuses().await, ["dead", "pending", "pending", "pending"]);
    assert!(world.stragglers().await.is_empty());
    let mut published = Vec::new();
    while published.len() < 3 {
        published.extend(world.relay_one().await);
    }
    for save in [&failed, &at_1, &at_2] {
        assert!(published.contains(&save.events.events[0].id));
    }
    let letters = adapter_outbox::PgOutboxDeadLetters::new(&world.database);
    let waiting = open(&letters).await;
    assert_eq!(waiting.len(), 1);
    assert!(letters.make_due(waiting[0].id).await.unwrap());
    assert_eq!(world.relay_one().await, dead.event_ids());
}

#[tokio::test]
async fn whatever_is_missing_or_set_wrongly_is_put_right() {
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
        let world = World::new().await;
        let lane = world.lane_with(3).await;
        world.execute(damage).await;
        world.is_stopped().await;
        world.adopt().await;
        let order = another_order_of(lane);
        world.save(&order).await;
        assert!(events_of(&world.relay_all().await).contains(&order.events.events[0].id), "{damage}");
    }
}

#[tokio::test]
async fn positions_that_sessions_took_in_advance_are_not_given_after_an_adoption() {
    let world = World::new().await;
    let lane = world.lane_with(1).await;
    world.execute(&format!("ALTER SEQUENCE {} CACHE 20", lane.sequence())).await;
    let mut with_cache = world.database.pool().acquire().await.unwrap();
    assert_eq!(another_order_of(lane).run(&mut with_cache).await.unwrap(), Write::Written);
    world.is_stopped().await;
    world.adopt().await;
    world.save(&another_order_of(lane)).await;
    world.relay_all().await;
    // Its cached positions lie behind the cursor by now.
    let order: Save = another_order_of(lane);
    assert_eq!(order.run(&mut with_cache).await.unwrap(), Write::Written);
    assert_eq!(world.relay_one().await, order.event_ids());
}

#[tokio::test]
async fn an_adoption_that_was_interrupted_keeps_relays_stopped_until_it_is_repeated() {
    let world = World::new().await;
    let lane = world.lane_with(3).await;
    world.set_sequence(lane, 1).await;
    let order = another_order_of(lane);
    world.save(&order).await;
    let mut session = world.database.pool().acquire().await.unwrap();
    adapter_outbox::put_positions_right(&mut session).await.unwrap();
    world.is_stopped().await;
    world.adopt().await;
    assert!(events_of(&world.relay_all().await).contains(&order.events.events[0].id));
}

#[tokio::test]
async fn a_day_with_adopted_events_is_kept_until_they_are_published() {
    let world = World::new().await;
    let lane = world.lane_with(3).await;
    world.set_sequence(lane, 1).await;
    world.save(&another_order_of(lane)).await;
    world.is_stopped().await;
    world.adopt().await;
    world.move_all_days_back(30).await;
    let keep = Keep { events: std::time::Duration::from_hours(24), ..Keep::default() };
    let house = crate::Housekeeping::new(&world.database, keep);
    assert_eq!(house.tidy().await.days.dropped, 0);
    world.relay_all().await;
    assert_eq!(house.tidy().await.days.dropped, 1);
}
