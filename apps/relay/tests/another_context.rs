//! A context other than ordering runs a relay: it publishes, stops, and names the commands of its own
//! program.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use adapter_http::site;
use adapter_kafka::{Cluster, KafkaPublisher, PARTITIONS, Registry};
use adapter_outbox::{ContextOutbox, MIGRATIONS, NewEvent, NewEvents};
use adapter_postgres::{ContextTables, Database, MigrationGate};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use chrono::DateTime;
use embedded_kafka::EmbeddedKafka;
use embedded_postgres::testing::{FreshDatabase, fresh_database};
use embedded_registry as registry;
use relay::{OutboxCommand, Relay, RelayArgs, outbox_routes, run_outbox_command};
use runtime::config::MAX_IN_FLIGHT;
use serde_json::{Value, json};
use test_support::{eventually, get_json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use uuid::Uuid;

const TOPIC: &str = "parcels-topic";

static TABLES: ContextTables =
    ContextTables { schema: "shipping", program: "parcels", migrations: &[MIGRATIONS] };

static OUTBOX: ContextOutbox =
    ContextOutbox { aggregates: "parcels", key: "id", command: "parcels outbox", reconcile: None };

/// A relay of the context with its own Postgres, Kafka and registry.
struct Fixture {
    fresh: FreshDatabase,
    database: Database,
    router: Router,
    relay: JoinHandle<()>,
    stop: CancellationToken,
    _kafka: EmbeddedKafka,
}

impl Fixture {
    async fn new() -> Self {
        adapter_kafka::tls::prepare();
        let fresh = fresh_database().await.unwrap();
        let database = Database::new(&TABLES, &fresh.args(), "parcels").unwrap();
        let tables = MigrationGate::default();
        tables.prepare(&database).await.unwrap();
        fresh.execute("CREATE TABLE shipping.parcels (id uuid PRIMARY KEY)").await.unwrap();

        let kafka = EmbeddedKafka::start(TOPIC, PARTITIONS).unwrap();
        let local = ([127, 0, 0, 1], 0).into();
        let registry_url = registry::testing::start(local, &fresh.args()).await.unwrap();
        let args = embedded_kafka::client_args(kafka.bootstrap_servers(), registry_url, TOPIC);
        let cluster = Cluster::new(&args).unwrap();
        let registry = Registry::new(&args).unwrap();
        let publisher =
            KafkaPublisher::new(&cluster, registry, "/shipping", adapter_avro::ordering()).unwrap();
        let settings =
            RelayArgs { relay_check: Duration::from_millis(300), ..RelayArgs::default() };
        let relay = Relay::new(&cluster, publisher, &database, &OUTBOX, &settings).unwrap();

        let routes = outbox_routes(&database, tables, "`parcels outbox dead-letters`");
        let router = site(routes, relay.checks(), MAX_IN_FLIGHT).unwrap();
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        let relay = tokio::spawn(async move { relay.run(&stopping).await });
        Self { fresh, database, router, relay, stop, _kafka: kafka }
    }

    /// Stores a parcel with an event.
    async fn send_a_parcel(&self, n: u128) {
        let schema = &adapter_avro::ordering()[0];
        let event = NewEvent {
            id: Uuid::from_u128(n),
            aggregate_version: 1,
            event_type: schema.event_type.into(),
            schema_fingerprint: schema.fingerprint.into(),
            payload: b"opaque".into(),
            occurred_at: DateTime::UNIX_EPOCH,
        };
        let parcel = Uuid::from_u128(n);
        let insert = format!("INSERT INTO shipping.parcels VALUES ('{parcel}')");
        self.fresh.execute(&insert).await.unwrap();
        // The protocol needs a transaction that has an id before it takes a position.
        let begin = "BEGIN; SELECT pg_current_xact_id()";
        let mut transaction = self.database.pool().begin_with(begin).await.unwrap();
        let events = NewEvents { aggregate_id: parcel, headers: json!({}), events: vec![event] };
        events.append(&mut transaction).await.unwrap();
        transaction.commit().await.unwrap();
    }

    async fn wait_until_everything_is_published(&self) {
        eventually("everything is published", async || {
            get_json(&self.router, "/api/outbox").await.1["unprocessed"] == 0
        })
        .await;
    }

    /// Why nothing may be published, from `/readyz`.
    async fn halted(&self) -> Option<String> {
        let request = Request::get("/readyz").body(Body::empty()).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let checks = body["checks"].as_array()?;
        let publishing = checks.iter().find(|check| check["name"] == "publishing")?;
        publishing["reason"].as_str().map(str::to_owned)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_publishes_the_outbox_of_its_context_and_names_the_commands_of_its_program() {
    let fixture = Fixture::new().await;
    for n in 0..40 {
        fixture.send_a_parcel(n).await;
    }
    fixture.wait_until_everything_is_published().await;

    let back_to_1 =
        "SELECT setval('shipping.outbox_lane_' || l, 1) FROM generate_series(0, 15) AS l";
    fixture.fresh.execute(back_to_1).await.unwrap();
    let named =
        "run `parcels outbox adopt --dry-run` to see what is wrong, then `parcels outbox adopt`";
    eventually("the relay stops and says what to do", async || {
        fixture.halted().await.is_some_and(|reason| reason.ends_with(named))
    })
    .await;
    let adopt = OutboxCommand::Adopt { dry_run: false, since: None };
    assert!(run_outbox_command(adopt, &fixture.database, &OUTBOX).await.unwrap());
    fixture.send_a_parcel(40).await;
    fixture.wait_until_everything_is_published().await;

    fixture.stop.cancel();
    fixture.relay.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_says_how_to_retry_dead_letters() {
    let fixture = Fixture::new().await;
    let document = get_json(&fixture.router, "/openapi.json").await.1;
    assert_eq!(
        document["paths"]["/api/outbox/dead-letters"]["get"]["description"],
        "The oldest 100 open dead letters. Use `parcels outbox dead-letters` to list all, and to retry \
         or discard them."
    );
}
