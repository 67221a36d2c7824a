use std::future::ready;

use adapter_http::site;
use adapter_notification::{self as notification, PgNotifications};
use adapter_postgres::{Database, MigrationGate};
use application::dead_letters::ConsumeAgain;
use application::inbox::Inbox;
use application::notification::{ChannelName, NotifyCustomer};
use application::published::{Content, Payload, PublishedEvent, PublishedItem};
use application::testing::sample;
use axum::Router;
use axum::http::StatusCode;
use domain::OrderId;
use embedded_postgres::testing::fresh_database;
use runtime::Check;
use runtime::config::MAX_IN_FLIGHT;
use serde_json::Value;
use test_support::{get_json, post_json, published_event};

/// The service without its consumer and worker. Tests pass events to the inbox.
pub(crate) struct Fixture {
    pub(crate) notifications: PgNotifications,
    router: Router,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let database = database().await;
        let tables = MigrationGate::default();
        tables.prepare(&database).await.unwrap();
        Self::with(&database, tables)
    }

    pub(crate) async fn without_tables() -> Self {
        Self::with(&database().await, MigrationGate::default())
    }

    fn with(database: &Database, tables: MigrationGate) -> Self {
        let notifications = PgNotifications::new(database);
        let checks = vec![Check::new("nothing", || ready(Ok(())))];
        // A retry can decode every record.
        let decode = |_| ready(Ok::<_, std::io::Error>(Content::Event(sample::created(1))));
        let how = ConsumeAgain { decode, inbox: inbox(notifications.clone()) };
        let api = ::notification::api::routes(database, tables, how);
        Self { notifications, router: site(api, checks, MAX_IN_FLIGHT).unwrap() }
    }

    pub(crate) fn inbox(&self) -> NotifyCustomer<PgNotifications> {
        inbox(self.notifications.clone())
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        post_json(&self.router, path, &body).await
    }

    pub(crate) async fn receive(&self, events: &[PublishedEvent]) {
        self.inbox().apply_batch(events, &[]).await.unwrap();
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        get_json(&self.router, path).await
    }
}

fn inbox(notifications: PgNotifications) -> NotifyCustomer<PgNotifications> {
    NotifyCustomer { notifications, channels: vec![ChannelName::Log] }
}

async fn database() -> Database {
    Database::new(&notification::TABLES, &fresh_database().await.unwrap().args(), "test").unwrap()
}

pub(crate) fn created(id: OrderId) -> PublishedEvent {
    let items = vec![
        PublishedItem { product_id: 9, quantity: 1, medication: None },
        PublishedItem { product_id: 7, quantity: 2, medication: None },
    ];
    let customer_name = "Zoë".to_owned();
    published_event(id, 1, Payload::OrderCreated { customer_name, items, note: None })
}

pub(crate) fn cancelled(id: OrderId) -> PublishedEvent {
    published_event(id, 2, Payload::OrderCancelled { reason: "too slow".to_owned() })
}
