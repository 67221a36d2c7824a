//! Tests of the ledger for reconciliation: orders in flight, republishing and digests.

use application::dead_letters::DeadLetters;
use application::reconcile::{OrderLedger, OrderRange, PublishedLedger, Republished};
use application::relay::{Claim, Outbox, Verdict};
use domain::OrderId;
use runtime::clock;
use sqlx::AssertSqlSafe;
use sqlx::types::Uuid;

use super::{Fixture, place, publish};
use crate::PgPublishedLedger;

async fn in_flight(fixture: &Fixture, order: Uuid) -> bool {
    let ledger = PgPublishedLedger::new(&fixture.database);
    let found = ledger.in_flight(&[OrderId::new(order)]).await.unwrap();
    ledger.close().await;
    !found.is_empty()
}

#[tokio::test]
async fn an_order_is_in_flight_if_its_transaction_commits_after_the_cursor_has_passed_its_position()
{
    let fixture = Fixture::new().await;
    let (slow, quick) = super::two_orders_in_one_lane();
    let mut transaction = fixture.database.pool().begin().await.unwrap();
    slow.run(&mut transaction).await.unwrap();
    fixture.save(&quick).await;
    // The cursor moves past the gap when the row after it is old enough.
    assert_eq!(fixture.relay_one().await.len(), 1);
    assert_eq!(fixture.stragglers().await, ["late"]);
    transaction.commit().await.unwrap();

    assert!(in_flight(&fixture, slow.order.id).await);
    assert!(!in_flight(&fixture, quick.order.id).await);
    assert_eq!(fixture.relay_one().await.len(), 1);
    assert!(!in_flight(&fixture, slow.order.id).await);
}

#[tokio::test]
async fn an_order_that_commits_late_in_a_wide_gap_is_in_flight_and_is_published_once() {
    let fixture = Fixture::new().await;
    let (first, last) = super::two_orders_in_one_lane();
    fixture.save(&first).await;
    let mut writer = fixture.database.pool().begin().await.unwrap();
    let mut late = Vec::new();
    for _ in 0..150 {
        let order = super::another_order_in(first.events.lane());
        order.run(&mut writer).await.unwrap();
        late.push(order);
    }
    fixture.save(&last).await;
    while fixture.statuses().await != ["processed", "processed"] {
        fixture.relay_one().await;
    }
    assert!(fixture.stragglers().await.is_empty(), "the gap is recorded as a range");
    writer.commit().await.unwrap();

    let order = late[70].order.id;
    assert!(in_flight(&fixture, order).await);
    assert!(!in_flight(&fixture, first.order.id).await);
    let ledger = PgPublishedLedger::new(&fixture.database);
    let due = ledger.republish(&[OrderId::new(order)]).await.unwrap();
    assert_eq!(due, [Republished { order_id: OrderId::new(order), events: 1 }]);
    let mut times = 0;
    while let Some(claim) = fixture.outbox.claim(100).await.unwrap() {
        times += claim.records().iter().filter(|record| record.aggregate_id == order).count();
        publish(claim).await;
    }
    assert_eq!(times, 1, "it was already due");
    assert!(!in_flight(&fixture, order).await);
}

#[tokio::test]
async fn an_order_with_a_discarded_dead_letter_stays_in_flight() {
    let fixture = Fixture::new().await;
    let save = place(clock::new_order_id());
    fixture.save(&save).await;
    let refused = Verdict::Refused("too large".to_owned());
    fixture.claim().await.settle(&[refused]).await.unwrap();
    let letters = adapter_outbox::PgOutboxDeadLetters::new(&fixture.database);
    let event = super::open(&letters).await[0].id;
    assert_eq!(letters.discard(&[event]).await.unwrap(), [event]);
    assert!(in_flight(&fixture, save.order.id).await);
}

#[tokio::test]
async fn events_of_any_day_can_be_published_again() {
    let fixture = Fixture::new().await;
    // Recorded three days ago with a partition for this day, today, and on a day without a
    // partition.
    let orders: Vec<OrderId> = [3, 0, 400].into_iter().map(placed_days_ago).collect();
    for (&order, days) in orders.iter().zip([3, 0, 400]) {
        fixture.save(&place(order)).await;
        publish(fixture.claim().await).await;
        let day = if days == 3 {
            "SELECT ordering.create_outbox_day((now() AT TIME ZONE 'UTC')::date - 3)"
        } else {
            "SELECT"
        };
        let steps = format!(
            "{day}; UPDATE ordering.outbox SET recorded_at = recorded_at - interval '{days} days'
             WHERE order_id = '{order}'"
        );
        sqlx::raw_sql(AssertSqlSafe(steps)).execute(fixture.database.pool()).await.unwrap();
    }
    let ledger = PgPublishedLedger::new(&fixture.database);
    let mut again = ledger.republish(&orders).await.unwrap();
    again.sort_by_key(|one| orders.iter().position(|&order| order == one.order_id));
    let expected: Vec<Republished> =
        orders.iter().map(|&order_id| Republished { order_id, events: 1 }).collect();
    assert_eq!(again, expected);

    let mut relayed = Vec::new();
    while let Some(claim) = fixture.outbox.claim(10).await.unwrap() {
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
    let fixture = Fixture::new().await;
    let save = place(clock::new_order_id());
    fixture.save(&save).await;
    publish(fixture.claim().await).await;
    sqlx::query("DELETE FROM ordering.outbox").execute(fixture.database.pool()).await.unwrap();
    let ledger = PgPublishedLedger::new(&fixture.database);
    assert_eq!(ledger.republish(&[OrderId::new(save.order.id)]).await.unwrap(), []);
    assert!(fixture.stragglers().await.is_empty());
}

/// The number of orders is higher than one statement digests.
#[tokio::test]
async fn the_digest_of_many_orders_is_the_sum_of_the_digests_of_their_parts() {
    let fixture = Fixture::new().await;
    sqlx::query(
        "INSERT INTO ordering.orders (id, customer_name, items, status, version, created_at)
         SELECT lpad(to_hex(n), 32, '0')::uuid, 'Ada', '[]', 'created', 1 + n % 3, now()
         FROM generate_series(1, 120000) AS n
         WHERE n <> 7",
    )
    .execute(fixture.database.pool())
    .await
    .unwrap();
    let ledger = PgPublishedLedger::new(&fixture.database);
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
