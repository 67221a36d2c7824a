//! A relay stops when the check of the outbox finds a problem, and continues after an operator has
//! adopted the outbox.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::net::SocketAddr;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapter_kafka::{PARTITIONS, Watch};
use adapter_ordering::{self as ordering, PgOrders};
use adapter_postgres::Database;
use consumer::ConsumerArgs;
use domain::EventId;
use embedded_kafka::EmbeddedKafka;
use embedded_postgres::testing::{FreshDatabase, fresh_database};
use embedded_registry as registry;
use order_jobs::{Config, RetentionArgs};
use relay::{AdoptPromotion, RelayArgs};
use runtime::config::{HttpArgs, KafkaArgs, PHARMACY_TOPIC, PharmacyTopicArgs};
use serde_json::Value;
use test_support::{eventually, place_order};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const TOPIC: &str = "order-created-topic";

/// The interval of the check. It is short so that the tests are fast.
const CHECK: Duration = Duration::from_millis(300);

/// Sets all sequences back, as an upgrade by logical replication does.
const BACK_TO_1: &str =
    "SELECT setval('ordering.outbox_lane_' || l, 1) FROM generate_series(0, 15) AS l";

/// A relay with its own Postgres, Kafka and registry.
struct Fixture {
    fresh: FreshDatabase,
    orders: PgOrders,
    http: SocketAddr,
    relay: RelayArgs,
    kafka_args: KafkaArgs,
    _kafka: EmbeddedKafka,
    /// The events in the topic.
    seen: Arc<Mutex<HashSet<EventId>>>,
    stop: CancellationToken,
}

impl Fixture {
    async fn new(adopt_promotion: AdoptPromotion) -> Self {
        adapter_kafka::tls::prepare();
        let fresh = fresh_database().await.unwrap();
        let database = Database::new(&ordering::TABLES, &fresh.args(), "test").unwrap();
        database.migrate().await.unwrap();
        let kafka = EmbeddedKafka::start(TOPIC, PARTITIONS).unwrap();
        kafka.create_topic(PHARMACY_TOPIC, PARTITIONS).unwrap();
        let local = ([127, 0, 0, 1], 0).into();
        let registry_url = registry::testing::start(local, &fresh.args()).await.unwrap();
        let kafka_args =
            embedded_kafka::client_args(kafka.bootstrap_servers(), registry_url, TOPIC);
        let http = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let relay = RelayArgs {
            relay_check: CHECK,
            outbox_adopt_promotion: adopt_promotion,
            ..RelayArgs::default()
        };
        let mut watch = Watch::start(&kafka_args, adapter_avro::ORDERING).await.unwrap();
        let seen: Arc<Mutex<HashSet<EventId>>> = Arc::default();
        let consumed = seen.clone();
        tokio::spawn(async move {
            loop {
                let event = watch.next().await.unwrap().published_event.event_id;
                consumed.lock().unwrap().insert(event);
            }
        });
        let (orders, stop) =
            (PgOrders::new(&database, adapter_avro::encode_event), CancellationToken::new());
        Self { fresh, orders, http, relay, kafka_args, _kafka: kafka, seen, stop }
    }

    fn start_relay(&self) {
        let config = Config {
            consumer: ConsumerArgs {
                database: self.fresh.args(),
                kafka: self.kafka_args.clone(),
                http: HttpArgs::default(),
            },
            http_addr: self.http,
            kafka_group: "ordering-group".to_owned(),
            pharmacy_topic: PharmacyTopicArgs::default(),
            relay: self.relay.clone(),
            retention: RetentionArgs::default(),
        };
        tokio::spawn(order_jobs::run(config, self.stop.clone()));
    }

    /// Stores `count` orders and returns the ids of their events.
    async fn place(&self, count: usize) -> HashSet<EventId> {
        let mut events = HashSet::new();
        for _ in 0..count {
            events.insert(place_order(&self.orders).await);
        }
        events
    }

    async fn wait_until_published(&self, events: &HashSet<EventId>) {
        eventually("the events are in the topic", async || {
            self.seen.lock().unwrap().is_superset(events)
        })
        .await;
    }

    /// The response of `/readyz`: whether the relay is ready, and why it must not publish.
    async fn readiness(&self) -> Option<(bool, Option<String>)> {
        let answer = reqwest::get(format!("http://{}/readyz", self.http)).await.ok()?;
        let ready = answer.status().is_success();
        let body: Value = answer.json().await.ok()?;
        let checks = body["checks"].as_array()?;
        let publishing = checks.iter().find(|check| check["name"] == "publishing")?;
        Some((ready, publishing["reason"].as_str().map(str::to_owned)))
    }

    async fn wait_until_ready(&self) {
        eventually("the relay is ready", async || self.readiness().await == Some((true, None)))
            .await;
    }

    async fn wait_until_stopped(&self, why: &str) {
        let last = RefCell::new(None);
        let is_stopped = async || {
            let readiness = self.readiness().await;
            let is_stopped =
                matches!(&readiness, Some((false, Some(reason))) if reason.contains(why));
            last.replace(readiness);
            is_stopped
        };
        let condition = fmt::from_fn(|f| write!(f, "{why}, but {:?}", last.borrow()));
        eventually(condition, is_stopped).await;
    }

    fn order_jobs(&self, arguments: &[&str]) -> String {
        let output: Output = Command::new(env!("CARGO_BIN_EXE_order-jobs"))
            .args(arguments)
            .env("DATABASE_URL", self.fresh.url())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[tokio::test]
async fn a_sequence_behind_its_cursor_stops_the_relay_and_an_adoption_loses_nothing() {
    let fixture = Fixture::new(AdoptPromotion::Off).await;
    fixture.start_relay();
    fixture.wait_until_ready().await;
    let before = fixture.place(80).await;
    fixture.wait_until_published(&before).await;

    fixture.fresh.execute(BACK_TO_1).await.unwrap();
    let hidden = fixture.place(40).await;
    fixture.wait_until_stopped("behind its cursor").await;
    let later = fixture.place(10).await;
    let preview = fixture.order_jobs(&["adopt", "--dry-run"]);
    assert!(preview.contains("found: ") && preview.contains("Nothing was changed"), "{preview}");
    fixture.wait_until_stopped("behind its cursor").await;
    let adopted = fixture.order_jobs(&["adopt"]);
    assert!(adopted.contains("These events have new positions"), "{adopted}");
    fixture.wait_until_ready().await;
    fixture.wait_until_published(&hidden).await;
    fixture.wait_until_published(&later).await;
    let again = fixture.order_jobs(&["adopt"]);
    assert!(again.contains("there is nothing to adopt"), "{again}");
    let after = fixture.place(20).await;
    fixture.wait_until_published(&after).await;
}

#[tokio::test]
async fn a_relay_publishes_nothing_before_the_first_check_of_the_outbox() {
    let mut fixture = Fixture::new(AdoptPromotion::Off).await;
    fixture.start_relay();
    fixture.wait_until_ready().await;
    let before = fixture.place(40).await;
    fixture.wait_until_published(&before).await;
    fixture.stop.cancel();
    eventually("the relay has stopped", async || fixture.readiness().await.is_none()).await;
    fixture.stop = CancellationToken::new();

    fixture.fresh.execute(BACK_TO_1).await.unwrap();
    let waiting = fixture.place(60).await;
    fixture.start_relay();
    // Depending on the lanes, a sequence is behind its cursor or two events have the same position.
    fixture.wait_until_stopped("then `order-jobs adopt`").await;
    assert!(fixture.seen.lock().unwrap().is_disjoint(&waiting));
    fixture.order_jobs(&["adopt"]);
    fixture.wait_until_published(&waiting).await;
}

#[tokio::test]
async fn a_relay_on_another_server_waits_until_an_operator_adopts_it() {
    let fixture = Fixture::new(AdoptPromotion::Synchronous).await;
    fixture.start_relay();
    fixture.wait_until_ready().await;
    for (change, why) in [
        ("system_identifier = system_identifier - 1", "on another Postgres server than before"),
        ("timeline = timeline + 1", "promoted or restored"),
    ] {
        let change = format!("UPDATE ordering.outbox_identity SET {change}");
        fixture.fresh.execute(&change).await.unwrap();
        let waiting = fixture.place(5).await;
        fixture.wait_until_stopped(why).await;
        assert!(fixture.seen.lock().unwrap().is_disjoint(&waiting));
        fixture.order_jobs(&["adopt"]);
        fixture.wait_until_published(&waiting).await;
        fixture.wait_until_ready().await;
    }
}

#[tokio::test]
async fn the_promotion_of_a_synchronous_standby_is_accepted_if_the_setting_allows_it() {
    let fixture = Fixture::new(AdoptPromotion::Synchronous).await;
    fixture.start_relay();
    fixture.wait_until_ready().await;
    let promoted = "UPDATE ordering.outbox_identity SET timeline = timeline - 1";
    fixture.fresh.execute(promoted).await.unwrap();
    let events = fixture.place(5).await;
    fixture.wait_until_published(&events).await;
    fixture.wait_until_ready().await;
}
