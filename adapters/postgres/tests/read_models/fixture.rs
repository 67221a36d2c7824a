//! Databases, events and records for the tests.

use adapter_notification as notification;
use adapter_pharmacy as pharmacy;
use adapter_postgres::Database;
use adapter_postgres::dead_letters::PgDeadLetters;
use application::dead_letters::{
    DeadLetterFilter, DeadLetterQuery, DeadLetterStatus, DeadLetters, Kept,
};
use application::published::{
    Content, Incoming, Payload, PublishedEvent, PublishedItem, RawRecord, RecordHeader, Unreadable,
};
use domain::{OrderId, OrderVersion};
use embedded_postgres::testing::fresh_database;
use runtime::clock;
use runtime::config::DatabaseArgs;
use sqlx::PgPool;

/// A fresh database with the tables of both contexts.
pub(crate) async fn database() -> Database {
    let database = Database::new(&fresh_args().await, "test").unwrap();
    pharmacy::migrate(&database).await.unwrap();
    notification::migrate(&database).await.unwrap();
    database
}

/// The same, and a pool for direct access to the tables.
pub(crate) async fn database_and_pool() -> (Database, PgPool) {
    let args = fresh_args().await;
    let database = Database::new(&args, "test").unwrap();
    pharmacy::migrate(&database).await.unwrap();
    notification::migrate(&database).await.unwrap();
    let (_, url) = args.url().unwrap();
    let pool = PgPool::connect(url.reveal()).await.unwrap();
    (database, pool)
}

pub(crate) async fn fresh_args() -> DatabaseArgs {
    fresh_database().await.unwrap().args()
}

/// The open dead letters.
pub(crate) async fn open(letters: &PgDeadLetters) -> Vec<Kept<PgDeadLetters>> {
    let filter = DeadLetterFilter::default();
    let query = DeadLetterQuery { status: DeadLetterStatus::Open, filter: &filter, after: None };
    letters.page(query, 1000).await.unwrap()
}

/// Makes all pending notifications due, except those that are claimed.
pub(crate) async fn make_due(pool: &PgPool) {
    sqlx::query(
        "UPDATE notification.notifications SET due_at = now()
         WHERE id IN (SELECT id FROM notification.notifications
                      WHERE state = 'pending' AND due_at > now() FOR UPDATE SKIP LOCKED)",
    )
    .execute(pool)
    .await
    .unwrap();
}

/// The event that an order was placed: two pieces of product 7, one piece of product 9.
pub(crate) fn created(order_id: OrderId, customer_name: &str) -> PublishedEvent {
    let items = vec![
        PublishedItem { product_id: 7, quantity: 2, medication: None },
        PublishedItem { product_id: 9, quantity: 1, medication: None },
    ];
    let customer_name = customer_name.to_owned();
    published_event(order_id, 1, Payload::OrderCreated { customer_name, items, note: None })
}

/// The event that the order was cancelled, as its second event.
pub(crate) fn cancelled(order_id: OrderId, reason: &str) -> PublishedEvent {
    published_event(order_id, 2, Payload::OrderCancelled { reason: reason.to_owned() })
}

fn published_event(order_id: OrderId, version: i64, payload: Payload) -> PublishedEvent {
    let event_stamp = clock::event_stamp();
    PublishedEvent {
        event_id: event_stamp.event_id,
        occurred_at: event_stamp.at,
        order_id,
        order_version: OrderVersion::try_from(version).unwrap(),
        payload,
    }
}

/// A record of the topic.
pub(crate) fn record(offset: i64, value: Option<&[u8]>) -> RawRecord {
    RawRecord {
        topic: "order-created-topic".to_owned(),
        partition: 3,
        offset,
        // A foreign client may send any number.
        timestamp_ms: Some(if offset % 2 == 0 { i64::MAX } else { 1_767_225_600_123 }),
        key: Some(b"key".to_vec()),
        value: value.map(<[u8]>::to_vec),
        headers: [
            ("ce_type", Some(&b"orders.OrderCreated"[..])),
            ("bytes", Some(b"\xff\x00\x1b[2J")),
            ("zero", Some(b"a\0b")),
            ("empty", Some(b"")),
            ("", None),
            ("ce_type", Some(b"again")),
        ]
        .map(|(name, value)| RecordHeader {
            name: name.to_owned(),
            value: value.map(<[u8]>::to_vec),
        })
        .to_vec(),
    }
}

/// The event, received at this offset.
pub(crate) fn readable(offset: i64, published_event: PublishedEvent) -> Incoming {
    Incoming { record: record(offset, Some(b"bytes")), content: Content::Event(published_event) }
}

/// A record that cannot be decoded.
pub(crate) fn unreadable(offset: i64, value: Option<&[u8]>) -> Incoming {
    let why = Unreadable("magic byte \0 is missing".to_owned());
    Incoming { record: record(offset, value), content: Content::Unreadable(why) }
}
