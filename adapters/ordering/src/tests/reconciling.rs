use application::dead_letters::DeadLetters;
use application::reconcile::{OrderLedger, OrderRange, PublishedLedger, Republished};
use application::relay::{Claim, Outbox, Verdict};
use domain::OrderId;
use runtime::clock;
use sqlx::AssertSqlSafe;
use sqlx::types::Uuid;

use super::{World, place, publish};
use crate::PgPublishedLedger;

async fn in_flight(world: &World, order: Uuid) -> bool {
    let ledger = PgPublishedLedger::new(&world.database);
    let found = ledger.in_flight(&[OrderId::new(order)]).await.unwrap();
    ledger.close().await;
    !found.is_empty()
}

#[tokio::test]
async fn an_order_is_in_flight_when_its_transaction_ended_after_the_cursor_had_passed_it() {
    let world = World::new().await;
    let (slow, quick) = super::two_orders_of_one_lane();
    let mut transaction = world.database.pool().begin().await.unwrap();
    slow.run(&mut transaction).await.unwrap();
    world.save(&quick).await;
    // The gap is stepped over once the row behind it is old enough.
    assert_eq!(world.relay_one().await.len(), 1);
    assert_eq!(world.stragglers().await, ["late"]);
    transaction.commit().await.unwrap();

    assert!(in_flight(&world, slow.order.id).await);
    assert!(!in_flight(&world, quick.order.id).await);
    assert_eq!(world.relay_one().await.len(), 1);
    assert!(!in_flight(&world, slow.order.id).await);
}

#[tokio::test]
async fn an_order_is_in_flight_when_it_came_late_into_a_wide_gap_and_is_published_once() {
    let world = World::new().await;
    let (first, last) = super::two_orders_of_one_lane();
    world.save(&first).await;
    let mut writer = world.database.pool().begin().await.unwrap();
    let mut late = Vec::new();
    for _ in 0..150 {
        let order = super::another_order_of(first.events.lane());
        order.run(&mut writer).await.unwrap();
        late.push(order);
    }
    world.save(&last).await;
    while world.statuses().await != ["processed", "processed"] {
        world.relay_one().await;
    }
    assert!(world.stragglers().await.is_empty(), "the gap is noted as a whole");
    writer.commit().await.unwrap();

    let order = late[70].order.id;
    assert!(in_flight(&world, order).await);
    assert!(!in_flight(&world, first.order.id).await);
    let ledger = PgPublishedLedger::new(&world.database);
    let due = ledger.republish(&[OrderId::new(order)]).await.unwrap();
    assert_eq!(due, [Republished { order_id: OrderId::new(order), events: 1 }]);
    let mut times = 0;
    while let Some(claim) = world.outbox.claim(100).await.unwrap() {
        times += claim.records().iter().filter(|record| record.aggregate_id == order).count();
        publish(claim).await;
    }
    assert_eq!(times, 1, "it was due anyway");
    assert!(!in_flight(&world, order).await);
}

#[tokio::test]
async fn an_order_whose_refused_event_was_discarded_is_in_flight_for_ever() {
    let world = World::new().await;
    let save = place(clock::new_order_id());
    world.save(&save).await;
    let refused = Verdict::Refused("too large".to_owned());
    world.claim().await.settle(&[refused]).await.unwrap();
    let letters = adapter_outbox::PgOutboxDeadLetters::new(&world.database);
    let event = super::open(&letters).await[0].id;
    assert_eq!(letters.discard(&[event]).await.unwrap(), [event]);
    assert!(in_flight(&world, save.order.id).await);
}

#[tokio::test]
async fn events_are_published_again_whatever_the_day_they_were_recorded_on() {
    let world = World::new().await;
    // Recorded three days ago, in a partition of that day; today; and on a day without a partition.
    let orders: Vec<OrderId> = [3, 0, 400].into_iter().map(placed_days_ago).collect();
    for (&order, days) in orders.iter().zip([3, 0, 400]) {
        world.save(&place(order)).await;
        publish(world.claim().await).await;
        let day = if days == 3 {
            "SELECT ordering.create_outbox_day((now() AT TIME ZONE 'UTC')::date - 3)"
        } else {
            "SELECT"
        };
        let steps = format!(
            "{day}; UPDATE ordering.outbox SET recorded_at = recorded_at - interval '{days} days'
             WHERE order_id = '{order}'"
        );
        sqlx::raw_sql(AssertSqlSafe(steps)).execute(world.database.pool()).await.unwrap();
    }
    let ledger = PgPublishedLedger::new(&world.database);
    let mut again = ledger.republish(&orders).await.unwrap();
    again.sort_by_key(|one| orders.iter().position(|&order| order == one.order_id));
    let expected: Vec<Republished> =
        orders.iter().map(|&order_id| Republished { order_id, events: 1 }).collect();
    assert_eq!(again, expected);

    let mut relayed = Vec::new();
    while let Some(claim) = world.outbox.claim(10).await.unwrap() {
        relayed.extend(claim.records().iter().map(|record| OrderId::new(record.aggregate_id)));
        publish(claim).await;
    }
    relayed.sort_unstable();
    let mut expected = orders.clone();
    expected.sort_unstable();
    assert_eq!(relayed, expected);
}

#[tokio::test]
async fn an_order_whose_events_are_no_longer_retained_cannot_be_published_again() {
    let world = World::new().await;
    let save = place(clock::new_order_id());
    world.save(&save).await;
    publish(world.claim().await).await;
    sqlx::query("DELETE FROM ordering.outbox").execute(world.database.pool()).await.unwrap();
    let ledger = PgPublishedLedger::new(&world.database);
    assert_eq!(ledger.republish(&[OrderId::new(save.order.id)]).await.unwrap(), []);
    assert!(world.stragglers().await.is_empty());
}

/// More orders than one statement digests.
#[tokio::test]
async fn the_digest_of_many_orders_is_that_of_their_parts() {
    let world = World::new().await;
    sqlx::query(
        "INSERT INTO ordering.orders (id, customer_name, items, status, version, created_at)
         SELECT lpad(to_hex(n), 32, '0')::uuid, 'Ada', '[]', 'created', 1 + n % 3, now()
         FROM generate_series(1, 120000) AS n
         WHERE n <> 7",
    )
    .execute(world.database.pool())
    .await
    .unwrap();
    let ledger = PgPublishedLedger::new(&world.database);
    let range = |from: u128, before: u128| {
        let id = |n| OrderId::new(Uuid::from_u128(n));
        OrderRange::of_ids(id(from), id(before))
    };
    let whole = ledger.digest(range(0, 200_000)).await.unwrap();
    assert_eq!(whole.orders, 119_999);
    let mut sum = ledger.digest(range(0, 1)).await.unwrap();
    for part in [range(1, 50_001), range(50_001, 50_002), range(50_002, 200_000)] {
        sum = sum.and(ledger.digest(part).await.unwrap());
    }
    assert_eq!(sum, whole);
}

fn placed_days_ago(days: u64) -> OrderId {
    let now = u64::try_from(clock::now().as_micros() / 1000).unwrap();
    let random = clock::new_order_id().get().as_u128() & ((1 << 80) - 1);
    OrderId::new(Uuid::from_u128(u128::from(now - days * 86_400_000) << 80 | random))
}
