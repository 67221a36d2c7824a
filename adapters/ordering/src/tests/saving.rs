//! Tests of concurrent saves, and of details of a save that the contract does not cover.

use application::ordering::{Cause, Fingerprint, Orders, SaveError, Saved};
use application::relay::Claim;
use application::testing::sample;
use domain::OrderId;
use domain::ordering::{OrderStatus, PharmacyNews};
use runtime::clock;
use runtime::config::DatabaseArgs;
use runtime::trace_context::TraceParent;

use adapter_postgres::Database;

use super::{Fixture, eventually, new_order};
use crate::PgOrders;
use crate::save::{Save, Write};

#[tokio::test]
async fn a_repeated_request_waits_for_the_first_one_and_gets_its_answer() {
    let fixture = Fixture::new().await;
    let first = new_order(clock::new_order_id());
    let mut slow = fixture.database.pool().begin().await.unwrap();
    let save = Save::of(&first, &request("k"), adapter_avro::encode_event).unwrap();
    assert_eq!(save.run(&mut slow).await.unwrap(), Write::Written);

    let orders = fixture.orders.clone();
    let repeat =
        tokio::spawn(
            async move { orders.save(new_order(clock::new_order_id()), request("k")).await },
        );
    fixture.wait_until_a_session_waits().await;
    slow.commit().await.unwrap();
    let answer = repeat.await.unwrap();
    let Ok(Saved::AnsweredBefore(answer)) = answer else { panic!("{answer:?}") };
    assert_eq!(answer, first.saved());
}

#[tokio::test]
async fn a_repeated_request_is_stored_if_the_first_one_was_rolled_back() {
    let fixture = Fixture::new().await;
    let mut slow = fixture.database.pool().begin().await.unwrap();
    let save =
        Save::of(&new_order(clock::new_order_id()), &request("k"), adapter_avro::encode_event)
            .unwrap();
    assert_eq!(save.run(&mut slow).await.unwrap(), Write::Written);

    let second = new_order(clock::new_order_id());
    let (orders, order) = (fixture.orders.clone(), second.clone());
    let repeat = tokio::spawn(async move { orders.save(order, request("k")).await });
    fixture.wait_until_a_session_waits().await;
    slow.rollback().await.unwrap();
    let answer = repeat.await.unwrap();
    let Ok(Saved::Stored(stored)) = answer else { panic!("{answer:?}") };
    assert_eq!(stored, second.saved());
}

#[tokio::test]
async fn a_save_that_waits_for_a_concurrent_change_conflicts_and_stores_nothing() {
    let fixture = Fixture::new().await;
    let id = clock::new_order_id();
    fixture.orders.save(new_order(id), Cause::Unkeyed).await.unwrap();
    let cancelled = async || {
        let mut order = fixture.orders.find(id).await.unwrap().unwrap();
        assert!(order.follow(PharmacyNews::Cancelled, clock::event_stamp()).is_applied());
        order
    };
    let (faster, slower) = (cancelled().await, cancelled().await);
    let mut transaction = fixture.database.pool().begin().await.unwrap();
    let save = Save::of(&faster, &request("faster"), adapter_avro::encode_event).unwrap();
    assert_eq!(save.run(&mut transaction).await.unwrap(), Write::Written);

    let orders = fixture.orders.clone();
    let waiting = tokio::spawn(async move { orders.save(slower, request("slower")).await });
    fixture.wait_until_a_session_waits().await;
    transaction.commit().await.unwrap();
    let answer = waiting.await.unwrap();
    assert!(matches!(answer, Err(SaveError::VersionConflict)), "{answer:?}");
    assert!(fixture.orders.find_answer(&request("slower")).await.unwrap().is_none());
    assert_eq!(fixture.orders.find_answer(&request("faster")).await.unwrap(), Some(faster.saved()));
    assert_eq!(fixture.statuses().await.len(), 2);
}

#[tokio::test]
async fn an_update_by_an_older_version_keeps_fields_that_it_does_not_know() {
    let fixture = Fixture::new().await;
    let order = sample::order(2);
    fixture.orders.save(order.clone(), Cause::Unkeyed).await.unwrap();
    // The statement with which the first release cancels this order. It writes only the item fields
    // that it knows.
    let items = r#"[{"productId": 1, "quantity": 7}]"#;
    sqlx::query(
        "UPDATE ordering.orders
         SET customer_name = customer_name, items = $2::jsonb, status = 'cancelled', version = 2,
             cancel_reason = $3, cancelled_at = $4
         WHERE id = $1 AND version = 1",
    )
    .bind(order.id().get())
    .bind(items)
    .bind(sample::reason().as_str())
    .bind(sample::at(9).get())
    .execute(fixture.database.pool())
    .await
    .unwrap();

    let placed = order.snapshot().clone();
    let found = fixture.orders.find(order.id()).await.unwrap().unwrap();
    let state = found.snapshot();
    assert_eq!((&state.items, &state.note), (&placed.items, &placed.note));
    let status = OrderStatus::Cancelled { reason: sample::reason(), at: sample::at(9) };
    assert_eq!(state.status(), status);
}

#[tokio::test]
async fn an_order_without_note_and_medication_is_stored_as_by_the_first_release() {
    let fixture = Fixture::new().await;
    let order = new_order(clock::new_order_id());
    fixture.orders.save(order.clone(), request("k")).await.unwrap();
    let query = "SELECT items::text, note, (SELECT answer::text FROM ordering.causes)
                 FROM ordering.orders";
    let (items, note, answer): (String, Option<String>, String) =
        sqlx::query_as(query).fetch_one(fixture.database.pool()).await.unwrap();
    // The first release writes the same.
    assert_eq!((items.as_str(), note), (r#"[{"quantity": 1, "productId": 1}]"#, None));
    assert!(!answer.contains("note") && !answer.contains("medication"), "{answer}");
    assert_eq!(fixture.orders.find(order.id()).await.unwrap(), Some(order.clone().saved()));
    assert_eq!(fixture.orders.find_answer(&request("k")).await.unwrap(), Some(order.saved()));
}

#[tokio::test]
async fn two_events_of_one_save_are_claimed_in_sequence() {
    let fixture = Fixture::new().await;
    let mut order = new_order(clock::new_order_id());
    assert!(order.follow(PharmacyNews::Cancelled, clock::event_stamp()).is_applied());
    fixture.orders.save(order, Cause::Unkeyed).await.unwrap();
    let claim = fixture.claim().await;
    let versions = claim.records().iter().map(|record| record.aggregate_version);
    assert_eq!(versions.collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn an_event_has_the_trace_of_its_request() {
    let fixture = Fixture::new().await;
    let trace = TraceParent::root();
    let save = fixture.orders.save(new_order(clock::new_order_id()), Cause::Unkeyed);
    trace.scope(save).await.unwrap();
    let claim = fixture.claim().await;
    let header = ("traceparent".to_owned(), trace.to_string());
    assert_eq!(claim.records()[0].headers, [header]);
}

#[tokio::test]
async fn an_unreachable_database_is_unavailable_and_not_broken() {
    let args = DatabaseArgs::at("postgres://nobody@127.0.0.1:1/nothing", 2);
    let orders = PgOrders::new(
        &Database::new(&crate::TABLES, &args, "ordering-test").unwrap(),
        adapter_avro::encode_event,
    );
    let found = orders.find(OrderId::new(sqlx::types::Uuid::nil())).await;
    assert!(found.unwrap_err().is_unavailable());
    let saved = orders.save(new_order(clock::new_order_id()), Cause::Unkeyed).await;
    assert!(matches!(saved, Err(SaveError::Store(error)) if error.is_unavailable()));
}

#[tokio::test]
async fn a_session_that_is_lost_during_a_save_is_unavailable() {
    let fixture = Fixture::new().await;
    let mut slow = fixture.database.pool().begin().await.unwrap();
    let order = new_order(clock::new_order_id());
    let save = Save::of(&order, &request("k"), adapter_avro::encode_event).unwrap();
    assert_eq!(save.run(&mut slow).await.unwrap(), Write::Written);
    let orders = fixture.orders.clone();
    let blocked = tokio::spawn(async move { orders.save(order, request("k")).await });
    let pid = fixture.wait_until_a_session_waits().await;
    fixture.kill_session(pid).await;
    let saved = blocked.await.unwrap();
    assert!(matches!(saved, Err(SaveError::Store(error)) if error.is_unavailable()));
    slow.rollback().await.unwrap();
}

fn request(key: &str) -> Cause {
    Cause::Request(key.parse().unwrap(), Fingerprint::of("the same"))
}

impl Fixture {
    /// Waits until a session waits for the transaction of another one. Returns the pid of the
    /// waiting session.
    async fn wait_until_a_session_waits(&self) -> i32 {
        let query = "SELECT pid FROM pg_stat_activity
                     WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let mut waiting = None;
        eventually("a session waits", async || {
            waiting = sqlx::query_scalar(query).fetch_optional(self.database.pool()).await.unwrap();
            waiting.is_some()
        })
        .await;
        waiting.unwrap()
    }
}

#[tokio::test]
async fn the_orders_of_a_customer_are_listed_in_a_table_of_their_own() {
    let fixture = Fixture::new().await;
    for n in 1..=8 {
        fixture.orders.save(sample::order(n), Cause::Unkeyed).await.unwrap();
    }
    let query = "SELECT customer_id, count(*) FROM ordering.customer_orders GROUP BY 1 ORDER BY 1";
    let rows: Vec<(String, i64)> =
        sqlx::query_as(query).fetch_all(fixture.database.pool()).await.unwrap();
    assert_eq!(rows, [("customer-1".to_owned(), 3), ("customer-2".to_owned(), 1)]);
}

#[tokio::test]
async fn the_tables_refuse_a_customer_id_without_a_length() {
    let fixture = Fixture::new().await;
    fixture.orders.save(sample::order(1), Cause::Unkeyed).await.unwrap();
    for id in [String::new(), "x".repeat(65)] {
        let update = sqlx::query("UPDATE ordering.orders SET customer_id = $1").bind(id);
        let refused = update.execute(fixture.database.pool()).await.unwrap_err();
        assert!(refused.as_database_error().unwrap().is_check_violation(), "{refused}");
    }
}
