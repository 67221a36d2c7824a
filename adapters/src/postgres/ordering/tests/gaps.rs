//! Positions without a row: in flight, or rolled back.

use application::relay::{Claim, Outbox};
use sqlx::{Postgres, Transaction};

use super::{World, another_order_of, eventually, two_orders_of_one_lane};
use crate::postgres::ordering::save::{Save, Write};

#[tokio::test]
async fn an_event_that_commits_late_behind_a_gap_is_published() {
    let world = World::new().await;
    let (first, second) = two_orders_of_one_lane();
    let slow = write(&world, &first).await;
    world.save(&second).await;

    assert_eq!(world.relay_one().await, second.events.ids, "the gap is stepped over");
    assert_eq!(world.stragglers().await, ["late"]);
    assert!(world.outbox.claim(10).await.unwrap().is_none(), "its writer still runs");
    slow.commit().await.unwrap();
    assert_eq!(world.relay_one().await, first.events.ids);
    assert!(world.stragglers().await.is_empty());
}

#[tokio::test]
async fn a_young_gap_is_waited_for_rather_than_stepped_over() {
    let world = World::new().await;
    let (first, second) = two_orders_of_one_lane();
    let slow = write(&world, &first).await;
    world.save(&second).await;
    // As if the row behind the gap had been recorded at this moment.
    sqlx::query("UPDATE ordering.outbox SET recorded_at = clock_timestamp() + interval '0.5 s'")
        .execute(world.database.pool())
        .await
        .unwrap();
    assert!(world.outbox.claim(10).await.unwrap().is_none());
    assert!(world.stragglers().await.is_empty());
    slow.commit().await.unwrap();
    let both = [first.events.ids[0], second.events.ids[0]];
    assert_eq!(world.relay_one().await, both);
}

#[tokio::test]
async fn a_rolled_back_gap_is_dropped_only_after_all_older_transactions_have_ended() {
    let world = World::new().await;
    let (first, second) = two_orders_of_one_lane();
    let older = running_transaction(&world).await;
    let rolled_back = write(&world, &first).await;
    world.save(&second).await;
    world.relay_one().await;
    rolled_back.rollback().await.unwrap();

    for _ in 0..5 {
        relay_another(&world, &first).await;
        assert_eq!(world.stragglers().await, ["late"], "an older transaction might be its writer");
    }
    let younger = running_transaction(&world).await;
    older.commit().await.unwrap();
    eventually("the gap is dropped", async || {
        assert!(world.outbox.claim(10).await.unwrap().is_none());
        world.stragglers().await.is_empty()
    })
    .await;
    younger.rollback().await.unwrap();
}

#[tokio::test]
async fn a_gap_is_not_given_up_while_its_own_writer_runs_however_many_others_come_and_go() {
    let world = World::new().await;
    let (first, second) = two_orders_of_one_lane();
    // The writer has an id, but takes its position only after others have begun and ended.
    let mut slow = running_transaction(&world).await;
    running_transaction(&world).await.commit().await.unwrap();
    assert_eq!(first.run(&mut slow).await.unwrap(), Write::Written);
    world.save(&second).await;
    world.relay_one().await;
    for _ in 0..5 {
        running_transaction(&world).await.commit().await.unwrap();
        relay_another(&world, &first).await;
        assert_eq!(world.stragglers().await, ["late"]);
    }
    slow.commit().await.unwrap();
    assert_eq!(world.relay_one().await, first.events.ids);
    assert!(world.stragglers().await.is_empty());
}

#[tokio::test]
async fn a_gap_wider_than_a_batch_is_stepped_over_bit_by_bit() {
    let world = World::new().await;
    let (first, second) = two_orders_of_one_lane();
    world.save(&first).await;
    sqlx::query("SELECT nextval($1::text::regclass) FROM generate_series(1, 25)")
        .bind(first.lane.sequence())
        .execute(world.database.pool())
        .await
        .unwrap();
    world.save(&second).await;
    let mut published = Vec::new();
    eventually("both are published", async || {
        if let Some(claim) = world.outbox.claim(10).await.unwrap() {
            published.extend(claim.records().iter().map(|record| record.event_id.get()));
            super::publish(claim).await;
        }
        published.len() == 2
    })
    .await;
    assert_eq!(published, [first.events.ids[0], second.events.ids[0]]);
    eventually("the gap is dropped", async || {
        assert!(world.outbox.claim(10).await.unwrap().is_none());
        world.stragglers().await.is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_horizon_from_another_life_of_the_database_is_replaced() {
    let world = World::new().await;
    let (first, second) = two_orders_of_one_lane();
    write(&world, &first).await.rollback().await.unwrap();
    world.save(&second).await;
    world.relay_one().await;
    sqlx::query("UPDATE ordering.outbox_stragglers SET horizon = '4000000000000'")
        .execute(world.database.pool())
        .await
        .unwrap();
    eventually("the gap is dropped", async || {
        assert!(world.outbox.claim(10).await.unwrap().is_none());
        world.stragglers().await.is_empty()
    })
    .await;
}

/// Saves and relays another order of the lane, so that a claim looks at what is late there.
async fn relay_another(world: &World, order: &Save) {
    let other = another_order_of(order.lane);
    world.save(&other).await;
    assert_eq!(world.relay_one().await, other.events.ids);
}

/// Saves an order in a transaction that is left open.
async fn write(world: &World, save: &Save) -> Transaction<'static, Postgres> {
    let mut transaction = world.database.pool().begin().await.unwrap();
    assert_eq!(save.run(&mut transaction).await.unwrap(), Write::Written);
    transaction
}

/// A transaction that has its id and does nothing.
async fn running_transaction(world: &World) -> Transaction<'static, Postgres> {
    let mut transaction = world.database.pool().begin().await.unwrap();
    sqlx::query("SELECT pg_current_xact_id()").execute(&mut *transaction).await.unwrap();
    transaction
}
