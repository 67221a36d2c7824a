use std::future::ready;
use std::time::Duration;

use adapter_http::site;
use adapter_notification::{self as tables, PgNotifications};
use adapter_postgres::{Database, MigrationGate};
use adapter_webhook::{HttpWebhookSender, Policy, SealedSecrets, SecretsKey};
use application::dead_letters::ConsumeAgain;
use application::inbox::Inbox;
use application::notification::{
    EventType, RecordNotices, Webhook, WebhookId, WebhookSecrets, WebhookSettings, Webhooks,
};
use application::published::{Content, Payload, PublishedEvent, PublishedItem};
use application::testing::sample;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use domain::OrderId;
use embedded_postgres::testing::fresh_database;
use notification::Limits;
use notification::api::Outgoing;
use runtime::Check;
use runtime::config::MAX_IN_FLIGHT;
use serde_json::Value;
use test_support::{get_json, post_json, published_event};
use tokio::sync::watch;
use tower::ServiceExt as _;
use uuid::Uuid;

/// The limits of a worker, with a short rest so that tests are fast.
pub(crate) const LIMITS: Limits = Limits {
    at_once: 16,
    per_destination: 2,
    leased: 64,
    leased_per_destination: 8,
    rest: Duration::from_millis(1),
};

/// The service without its consumer and workers. Tests pass events to the inbox.
pub(crate) struct Fixture {
    pub(crate) notifications: PgNotifications,
    pub(crate) outgoing: Outgoing,
    router: Router,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let database = database().await;
        let tables = MigrationGate::default();
        tables.prepare(&database).await.unwrap();
        Self::with(&database, tables, secrets())
    }

    pub(crate) async fn without_tables() -> Self {
        Self::with(&database().await, MigrationGate::default(), secrets())
    }

    pub(crate) async fn without_webhook_key() -> Self {
        let database = database().await;
        let tables = MigrationGate::default();
        tables.prepare(&database).await.unwrap();
        Self::with(&database, tables, SealedSecrets::new(None))
    }

    fn with(database: &Database, tables: MigrationGate, secrets: SealedSecrets) -> Self {
        let notifications = PgNotifications::new(database);
        let checks = vec![Check::new("nothing", || ready(Ok(())))];
        // A retry can decode every record.
        let decode = |_| ready(Ok::<_, std::io::Error>(Content::Event(sample::created(1))));
        let how = ConsumeAgain { decode, inbox: inbox(notifications.clone()) };
        let policy = Policy { allow_http_loopback: true, ..Policy::default() };
        let sender = HttpWebhookSender::new(policy.clone(), secrets.clone()).unwrap();
        let wakeup = watch::Sender::new(());
        let outgoing = Outgoing { policy, secrets, sender, wakeup };
        let api = notification::api::routes(database, tables, outgoing.clone(), how);
        let router = site(api, checks, MAX_IN_FLIGHT).unwrap();
        Self { notifications, outgoing, router }
    }

    pub(crate) fn inbox(&self) -> RecordNotices<PgNotifications> {
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

    /// Adds a webhook for all events.
    pub(crate) async fn add_webhook(&self, n: u128) -> WebhookId {
        let settings = WebhookSettings {
            url: format!("http://localhost:9/{n}"),
            description: None,
            event_types: EventType::ALL.into(),
        };
        let (_, secret) = self.outgoing.secrets.generate().unwrap();
        let id = WebhookId::new(Uuid::from_u128(n));
        let webhook = Webhook::new(id, settings, secret, runtime::clock::now());
        self.notifications.add(&webhook).await.unwrap();
        id
    }

    /// The answer to a request with these headers: status, headers and body.
    pub(crate) async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> (StatusCode, HeaderMap, Value) {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(json) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(json.to_string())
            }
            None => Body::empty(),
        };
        let answer = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (head, body) = answer.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let body =
            if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        (head.status, head.headers, body)
    }
}

fn secrets() -> SealedSecrets {
    let path = std::env::temp_dir().join(format!("orders-key-{}", runtime::clock::random()));
    std::fs::write(&path, "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n").unwrap();
    let key = SecretsKey::read(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    SealedSecrets::new(Some(key))
}

fn inbox(notifications: PgNotifications) -> RecordNotices<PgNotifications> {
    RecordNotices { notifications, letters: true }
}

async fn database() -> Database {
    Database::new(&tables::TABLES, &fresh_database().await.unwrap().args(), "test").unwrap()
}

pub(crate) fn created(id: OrderId) -> PublishedEvent {
    created_by(id, None)
}

pub(crate) fn created_by(id: OrderId, customer: Option<&str>) -> PublishedEvent {
    let items = vec![PublishedItem { product_id: 9, quantity: 1, medication: None }];
    let payload = Payload::OrderCreated {
        customer_id: customer.map(str::to_owned),
        customer_name: "Zoë".to_owned(),
        items,
        note: None,
    };
    published_event(id, 1, payload)
}

pub(crate) fn cancelled(id: OrderId) -> PublishedEvent {
    published_event(id, 2, Payload::OrderCancelled { reason: "too slow".to_owned() })
}
