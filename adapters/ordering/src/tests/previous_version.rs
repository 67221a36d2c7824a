//! Rows and answers of the version before orders followed the pharmacy. Its programs run beside newer ones
//! during an upgrade.

use application::StoreError;
use application::ordering::{Cause, OrderViews as _, Orders};
use application::testing::sample;
use domain::ordering::{
    Order, OrderCancelled, OrderEvent, OrderFact, OrderStatus, PharmacyNews, StatusName,
};
use domain::{EventStamp, OrderId};

use super::Fixture;

/// How that version inserts an order.
const INSERT: &str = "
    INSERT INTO ordering.orders
        (id, customer_name, items, note, status, version, created_at, cancel_reason, cancelled_at)
    SELECT $1::uuid, $2::text, $3::jsonb, NULL, $4::text, $5::bigint, $6::timestamptz, $7::text,
           $8::timestamptz";

/// How it changes one.
const UPDATE: &str = "
    UPDATE ordering.orders SET status = $2, version = $3, cancel_reason = $4, cancelled_at = $5
    WHERE id = $1 AND version = 1";

/// Order 3, which has no optional values, as that version cancelled it.
fn cancelled() -> Order {
    let created = sample::order(3).recorded()[0].clone();
    let EventStamp { event_id, at } = sample::event_stamp(3, 2);
    let cancelled = OrderEvent {
        id: event_id,
        occurred_at: at,
        version: created.version.next(),
        fact: OrderFact::Cancelled(OrderCancelled { reason: sample::reason() }),
        ..created.clone()
    };
    Order::fold([&created, &cancelled]).unwrap()
}

async fn insert(fixture: &Fixture, status: &str) {
    let order = sample::order(3);
    let state = order.snapshot();
    let is_cancelled = status == "cancelled";
    sqlx::query(INSERT)
        .bind(state.id.get())
        .bind(state.customer_name.as_str())
        .bind(r#"[{"productId": 1, "quantity": 7}]"#)
        .bind(status)
        .bind(if is_cancelled { 2_i64 } else { 1 })
        .bind(state.created_at.get())
        .bind(is_cancelled.then(|| sample::reason().to_string()))
        .bind(is_cancelled.then(|| sample::event_stamp(3, 2).at.get()))
        .execute(fixture.database.pool())
        .await
        .unwrap();
}

async fn cancel(fixture: &Fixture, id: OrderId) -> u64 {
    let cancelled = sqlx::query(UPDATE)
        .bind(id.get())
        .bind("cancelled")
        .bind(2_i64)
        .bind(sample::reason().as_str())
        .bind(sample::event_stamp(3, 2).at.get());
    cancelled.execute(fixture.database.pool()).await.unwrap().rows_affected()
}

#[tokio::test]
async fn an_order_of_the_version_before_is_read_and_changed() {
    let fixture = Fixture::new().await;
    insert(&fixture, "created").await;
    let mut order = fixture.orders.find(sample::order_id(3)).await.unwrap().unwrap();
    assert_eq!(order, sample::order(3).saved());

    assert!(order.follow(PharmacyNews::Confirmed, sample::event_stamp(3, 2)).is_applied());
    fixture.orders.save(order.clone(), Cause::Unkeyed).await.unwrap();
    let found = fixture.orders.find(sample::order_id(3)).await.unwrap();
    assert_eq!(found, Some(order.saved()));
}

#[tokio::test]
async fn an_order_that_the_version_before_cancelled_has_a_history() {
    let fixture = Fixture::new().await;
    insert(&fixture, "cancelled").await;
    let order = fixture.orders.find(sample::order_id(3)).await.unwrap().unwrap();
    assert_eq!(order, cancelled());
    let history: Vec<_> = order.snapshot().history.iter().map(|change| change.status).collect();
    assert_eq!(history, [StatusName::Created, StatusName::Cancelled]);
    let page = fixture.orders.newest(Some(StatusName::Cancelled), None, 10).await.unwrap();
    assert_eq!(page, [order.snapshot().clone()]);
}

#[tokio::test]
async fn the_version_before_cancels_an_order_that_this_one_has_placed() {
    let fixture = Fixture::new().await;
    fixture.orders.save(sample::order(3), Cause::Unkeyed).await.unwrap();
    assert_eq!(cancel(&fixture, sample::order_id(3)).await, 1);
    let found = fixture.orders.find(sample::order_id(3)).await.unwrap();
    assert_eq!(found, Some(cancelled()));
}

#[tokio::test]
async fn the_version_before_does_not_overwrite_an_order_that_follows_the_pharmacy() {
    let fixture = Fixture::new().await;
    let mut order = sample::order(3);
    assert!(order.follow(PharmacyNews::Ready, sample::event_stamp(3, 2)).is_applied());
    fixture.orders.save(order.clone(), Cause::Unkeyed).await.unwrap();
    assert_eq!(cancel(&fixture, sample::order_id(3)).await, 0);
    let found = fixture.orders.find(sample::order_id(3)).await.unwrap();
    assert_eq!(found, Some(order.saved()));
}

#[tokio::test]
async fn an_answer_of_the_version_before_is_read() {
    let fixture = Fixture::new().await;
    let cause = sample::request("k", "cancel it");
    let Cause::Request(_, fingerprint) = &cause else { unreachable!() };
    let order = cancelled();
    let state = order.snapshot();
    let OrderStatus::Cancelled { reason, at } = state.status() else { panic!("{state:?}") };
    let answer = serde_json::json!({
        "id": state.id.to_string(),
        "customerName": state.customer_name.as_str(),
        "items": [{"productId": 1, "quantity": 7}],
        "status": "cancelled",
        "version": 2,
        "createdAt": state.created_at.to_string(),
        "cancelReason": reason.as_str(),
        "cancelledAt": at.to_string(),
    });
    sqlx::query(
        "INSERT INTO ordering.causes (kind, key, fingerprint, answer) VALUES ('request', 'k', $1, $2)",
    )
    .bind(fingerprint.get())
    .bind(answer)
    .execute(fixture.database.pool())
    .await
    .unwrap();
    assert_eq!(fixture.orders.find_answer(&cause).await.unwrap(), Some(order));
}

#[tokio::test]
async fn a_row_whose_columns_contradict_each_other_is_broken() {
    for change in [
        "progress = 'ready'",
        "cancel_reason = 'why'",
        "cancel_declined_at = now(), cancel_reason = 'why'",
        "status = 'confirmed'",
        "history = '[{\"status\": \"lost\", \"at\": \"2026-01-31T12:00:00Z\"}]'",
    ] {
        let fixture = Fixture::new().await;
        fixture.orders.save(sample::order(3), Cause::Unkeyed).await.unwrap();
        let update = format!("UPDATE ordering.orders SET {change}");
        let update = sqlx::query(sqlx::AssertSqlSafe(update));
        update.execute(fixture.database.pool()).await.unwrap();
        let found = fixture.orders.find(sample::order_id(3)).await;
        assert!(matches!(found, Err(StoreError::Broken(_))), "{change}: {found:?}");
    }
}

#[tokio::test]
async fn the_tables_refuse_an_order_that_is_cancelled_and_completed() {
    let fixture = Fixture::new().await;
    fixture.orders.save(sample::order(3), Cause::Unkeyed).await.unwrap();
    for change in [
        "status = 'cancelled', cancel_reason = 'why', cancelled_at = now(), progress = 'completed'",
        "status = 'cancellation_requested', cancel_reason = 'why'",
        "status = 'rejected', progress = 'rejected'",
        "status = 'lost'",
    ] {
        let update = format!("UPDATE ordering.orders SET {change}");
        let refused =
            sqlx::query(sqlx::AssertSqlSafe(update)).execute(fixture.database.pool()).await;
        let error = refused.unwrap_err();
        let error = error.as_database_error().unwrap();
        assert!(error.is_check_violation(), "{change}: {error}");
    }
}
