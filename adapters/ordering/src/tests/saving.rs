//! What a save does in company, beyond the contract.

use application::ordering::{Cause, Fingerprint, Orders, SaveError, Saved};
use application::relay::Claim;
use application::testing::sample;
use domain::OrderId;
use domain::ordering::EventStamp;
use runtime::clock;
use runtime::config::DatabaseArgs;
use runtime::trace_context::TraceParent;

use super::{World, eventually, new_order};
use crate::PgOrders;
use crate::save::{Save, Write};

#[tokio::test]
async fn a_repeat_waits_for_the_first_and_gets_its_answer() {
    let world = World::new().await;
    let first = new_order(clock::new_order_id());
    let mut slow = world.database.pool().begin().await.unwrap();
    let save = Save::of(&first, &request("k"), adapter_avro::encode_event).unwrap();
    assert_eq!(save.run(&mut slow).await.unwrap(), Write::Written);

    let orders = world.orders.clone();
    let repeat =
        tokio::spawn(
            async move { orders.save(new_order(clock::new_order_id()), request("k")).await },
        );
    world.somebody_waits_for_a_transaction().await;
    slow.commit().await.unwrap();
    let answer = repeat.await.unwrap();
    let Ok(Saved::AnsweredBefore(answer)) = answer else { panic!("{answer:?}") };
    assert_eq!(answer, first.saved());
}

#[tokio::test]
async fn a_repeat_of_what_was_rolled_back_is_stored() {
    let world = World::new().await;
    let mut slow = world.database.pool().begin().await.unwrap();
    let save =
        Save::of(&new_order(clock::new_order_id()), &request("k"), adapter_avro::encode_event)
            .unwrap();
    assert_eq!(save.run(&mut slow).await.unwrap(), Write::Written);

    let second = new_order(clock::new_order_id());
    let (orders, order) = (world.orders.clone(), second.clone());
    let repeat = tokio::spawn(async move { orders.save(order, request("k")).await });
    world.somebody_waits_for_a_transaction().await;
    slow.rollback().await.unwrap();
    let answer = repeat.await.unwrap();
    let Ok(Saved::Stored(stored)) = answer else { panic!("{answer:?}") };
    assert_eq!(stored, second.saved());
}

#[tokio::test]
async fn whoever_waited_for_a_faster_change_conflicts_and_leaves_no_trace() {
    let world = World::new().await;
    let id = clock::new_order_id();
    world.orders.save(new_order(id), Cause::Unkeyed).await.unwrap();
    let cancelled = async || {
        let mut order = world.orders.find(id).await.unwrap().unwrap();
        assert!(order.cancel("no need".parse().unwrap(), clock::event_stamp()).is_applied());
        order
    };
    let (faster, slower) = (cancelled().await, cancelled().await);
    let mut transaction = world.database.pool().begin().await.unwrap();
    let save = Save::of(&faster, &request("faster"), adapter_avro::encode_event).unwrap();
    assert_eq!(save.run(&mut transaction).await.unwrap(), Write::Written);

    let orders = world.orders.clone();
    let waiting = tokio::spawn(async move { orders.save(slower, request("slower")).await });
    world.somebody_waits_for_a_transaction().await;
    transaction.commit().await.unwrap();
    let answer = waiting.await.unwrap();
    assert!(matches!(answer, Err(SaveError::VersionConflict)), "{answer:?}");
    assert!(world.orders.find_answer(&request("slower")).await.unwrap().is_none());
    assert_eq!(world.orders.find_answer(&request("faster")).await.unwrap(), Some(faster.saved()));
    assert_eq!(world.statuses().await.len(), 2);
}

#[tokio::test]
async fn an_update_by_a_program_that_knows_less_loses_nothing_of_what_was_ordered() {
    let world = World::new().await;
    let mut order = sample::order(2);
    world.orders.save(order.clone(), Cause::Unkeyed).await.unwrap();
    // What the first release writes when it cancels this order: of the items, what it knows.
    let known = r#"[{"productId": 1, "quantity": 7}]"#;
    sqlx::query(
        "UPDATE ordering.orders
         SET customer_name = customer_name, items = $2::jsonb, status = 'cancelled', version = 2,
             cancel_reason = $3, cancelled_at = $4
         WHERE id = $1 AND version = 1",
    )
    .bind(order.id().get())
    .bind(known)
    .bind(sample::reason().as_str())
    .bind(sample::at(9).get())
    .execute(world.database.pool())
    .await
    .unwrap();

    let event_stamp = EventStamp { event_id: sample::event_id(2, 2), at: sample::at(9) };
    assert!(order.cancel(sample::reason(), event_stamp).is_applied());
    assert_eq!(world.orders.find(order.id()).await.unwrap(), Some(order.saved()));
}

#[tokio::test]
async fn an_order_of_a_program_that_knew_less_has_neither_note_nor_medication() {
    let world = World::new().await;
    let order = new_order(clock::new_order_id());
    world.orders.save(order.clone(), request("k")).await.unwrap();
    let query = "SELECT items::text, note, (SELECT answer::text FROM ordering.causes)
                 FROM ordering.orders";
    let (items, note, answer): (String, Option<String>, String) =
        sqlx::query_as(query).fetch_one(world.database.pool()).await.unwrap();
    // Nothing that the first release has not written as well.
    assert_eq!((items.as_str(), note), (r#"[{"quantity": 1, "productId": 1}]"#, None));
    assert!(!answer.contains("note") && !answer.contains("medication"), "{answer}");
    assert_eq!(world.orders.find(order.id()).await.unwrap(), Some(order.clone().saved()));
    assert_eq!(world.orders.find_answer(&request("k")).await.unwrap(), Some(order.saved()));
}

#[tokio::test]
async fn two_events_of_one_save_are_relayed_in_order() {
    let world = World::new().await;
    let mut order = new_order(clock::new_order_id());
    assert!(order.cancel("at once".parse().unwrap(), clock::event_stamp()).is_applied());
    world.orders.save(order, Cause::Unkeyed).await.unwrap();
    let claim = world.claim().await;
    let versions = claim.records().iter().map(|record| record.aggregate_version);
    assert_eq!(versions.collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn an_event_carries_the_trace_that_caused_it() {
    let world = World::new().await;
    let trace = TraceParent::root();
    let save = world.orders.save(new_order(clock::new_order_id()), Cause::Unkeyed);
    trace.scope(save).await.unwrap();
    let claim = world.claim().await;
    let header = ("traceparent".to_owned(), trace.to_string());
    assert_eq!(claim.records()[0].headers, [header]);
}

#[tokio::test]
async fn a_database_out_of_reach_is_unavailable_and_not_broken() {
    let args = DatabaseArgs::at("postgres://nobody@127.0.0.1:1/nothing", 2);
    let orders = PgOrders::new(
        &crate::database(&args, "ordering-test").unwrap(),
        adapter_avro::encode_event,
    );
    let found = orders.find(OrderId::new(sqlx::types::Uuid::nil())).await;
    assert!(found.unwrap_err().is_unavailable());
    let saved = orders.save(new_order(clock::new_order_id()), Cause::Unkeyed).await;
    assert!(matches!(saved, Err(SaveError::Store(error)) if error.is_unavailable()));
}

#[tokio::test]
async fn a_session_lost_in_the_middle_of_a_save_is_unavailable() {
    let world = World::new().await;
    let mut slow = world.database.pool().begin().await.unwrap();
    let order = new_order(clock::new_order_id());
    let save = Save::of(&order, &request("k"), adapter_avro::encode_event).unwrap();
    assert_eq!(save.run(&mut slow).await.unwrap(), Write::Written);
    let orders = world.orders.clone();
    let blocked = tokio::spawn(async move { orders.save(order, request("k")).await });
    let pid = world.somebody_waits_for_a_transaction().await;
    world.kill_session(pid).await;
    let saved = blocked.await.unwrap();
    assert!(matches!(saved, Err(SaveError::Store(error)) if error.is_unavailable()));
    slow.rollback().await.unwrap();
}

fn request(key: &str) -> Cause {
    Cause::Request(key.parse().unwrap(), Fingerprint::of("the same"))
}

impl World {
    /// Waits until a session waits for another one's transaction; gives the waiting one.
    async fn somebody_waits_for_a_transaction(&self) -> i32 {
        let query = "SELECT pid FROM pg_stat_activity
                     WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let mut waiting = None;
        eventually("somebody waits", async || {
            waiting = sqlx::query_scalar(query).fetch_optional(self.database.pool()).await.unwrap();
            waiting.is_some()
        })
        .await;
        waiting.unwrap()
    }
}
