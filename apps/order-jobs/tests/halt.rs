//! A relay stops when the outbox is not sound, and goes on when an operator has adopted it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::cell::RefCell;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapter_kafka::{PARTITIONS, Watch};
use adapter_ordering::{self as ordering, PgOrders};
use application::ordering::{Cause, Orders};
use domain::EventId;
use domain::ordering::{NewOrder, Order, OrderItem, OrderItems};
use embedded_kafka::EmbeddedKafka;
use embedded_postgres::testing::{FreshDatabase, fresh_database};
use embedded_registry as registry;
use order_jobs::{AdoptPromotion, Config, RelayArgs};
use runtime::clock;
use runtime::config::{HttpArgs, KafkaArgs, LogFormat, TelemetryArgs};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

const TOPIC: &str = "order-created-topic";

/// The interval of the check, so that nobody has to wait a minute.
const CHECK: Duration = Duration::from_millis(300);

/// All sequences go back, as after an upgrade by logical replication.
const BACK_TO_1: &str =
    "SELECT setval('ordering.outbox_lane_' || l, 1) FROM generate_series(0, 15) AS l";

/// A relay on a Postgres, a Kafka and a registry of its own.
struct World {
    fresh: FreshDatabase,
    orders: PgOrders,
    http: SocketAddr,
    relay: RelayArgs,
    kafka_args: KafkaArgs,
    _kafka: EmbeddedKafka,
    /// The events that came into the topic.
    seen: Arc<Mutex<HashSet<EventId>>>,
    stop: CancellationToken,
}

impl World {
    async fn new(adopt_promotion: AdoptPromotion) -> Self {
        adapter_kafka::tls::prepare();
        let fresh = fresh_database().await.unwrap();
        let database = adapter_ordering::database(&fresh.args(), "test").unwrap();
        ordering::migrate(&database).await.unwrap();
        let kafka = EmbeddedKafka::start(TOPIC, PARTITIONS).unwrap();
        let registry = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let registry_url = format!("http://{}", registry.local_addr().unwrap());
        let router = registry::router(&database).await.unwrap();
        tokio::spawn(async move { axum::serve(registry, router).await });
        let kafka_args = KafkaArgs {
            kafka_fetch_wait_ms: 10,
            ..KafkaArgs::at(kafka.bootstrap_servers(), registry_url, TOPIC)
        };
        let http = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let relay = RelayArgs {
            relay_check: CHECK,
            outbox_adopt_promotion: adopt_promotion,
            ..RelayArgs::default()
        };
        let mut watch = Watch::start(&kafka_args, adapter_avro::SCHEMAS).await.unwrap();
        let seen: Arc<Mutex<HashSet<EventId>>> = Arc::default();
        let noted = seen.clone();
        tokio::spawn(async move {
            loop {
                let event = watch.next().await.unwrap().published_event.event_id;
                noted.lock().unwrap().insert(event);
            }
        });
        let (orders, stop) =
            (PgOrders::new(&database, adapter_avro::encode_event), CancellationToken::new());
        Self { fresh, orders, http, relay, kafka_args, _kafka: kafka, seen, stop }
    }

    fn start_relay(&self) {
        let config = Config {
            database: self.fresh.args(),
            kafka: self.kafka_args.clone(),
            telemetry: TelemetryArgs { rust_log: "info".to_owned(), log_format: LogFormat::Text },
            http_addr: self.http,
            http: HttpArgs::default(),
            relay: self.relay.clone(),
        };
        tokio::spawn(order_jobs::run(config, self.stop.clone()));
    }

    /// Stores so many orders and gives their events.
    async fn place(&self, count: usize) -> HashSet<EventId> {
        let mut events = HashSet::new();
        for _ in 0..count {
            let item = OrderItem {
                product_id: 1.try_into().unwrap(),
                quantity: 2.try_into().unwrap(),
                medication: None,
            };
            let event_stamp = clock::event_stamp();
            let new = NewOrder {
                id: clock::new_order_id(),
                customer_name: "Ada".parse().unwrap(),
                items: OrderItems::try_from(vec![item]).unwrap(),
                note: None,
            };
            self.orders.save(Order::place(new, event_stamp), Cause::Unkeyed).await.unwrap();
            events.insert(event_stamp.event_id);
        }
        events
    }

    async fn published(&self, events: &HashSet<EventId>) {
        eventually(
            || "the events are in the topic".to_owned(),
            async || self.seen.lock().unwrap().is_superset(events),
        )
        .await;
    }

    /// What `/readyz` says: whether it is ready, and why it must not publish.
    async fn readiness(&self) -> Option<(bool, Option<String>)> {
        let answer = reqwest::get(format!("http://{}/readyz", self.http)).await.ok()?;
        let ready = answer.status().is_success();
        let body: Value = answer.json().await.ok()?;
        let checks = body["checks"].as_array()?;
        let publishing = checks.iter().find(|check| check["name"] == "publishing")?;
        Some((ready, publishing["reason"].as_str().map(str::to_owned)))
    }

    async fn is_ready(&self) {
        eventually(
            || "the relay is ready".to_owned(),
            async || self.readiness().await == Some((true, None)),
        )
        .await;
    }

    async fn stops_for(&self, why: &str) {
        let last = RefCell::new(None);
        let says_so = async || {
            let readiness = self.readiness().await;
            let says_so = matches!(&readiness, Some((false, Some(reason))) if reason.contains(why));
            last.replace(readiness);
            says_so
        };
        eventually(|| format!("{why}, but {:?}", last.borrow()), says_so).await;
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

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn eventually(what: impl Fn() -> String, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so().await {
        assert!(Instant::now() < deadline, "it never came: {}", what());
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_sequence_behind_its_cursor_stops_the_relay_and_an_adoption_loses_nothing() {
    let world = World::new(AdoptPromotion::Off).await;
    world.start_relay();
    world.is_ready().await;
    let before = world.place(80).await;
    world.published(&before).await;

    world.fresh.execute(BACK_TO_1).await.unwrap();
    let hidden = world.place(40).await;
    world.stops_for("behind its cursor").await;
    let later = world.place(10).await;
    let looked = world.order_jobs(&["adopt", "--dry-run"]);
    assert!(looked.contains("found: ") && looked.contains("Nothing is changed"), "{looked}");
    world.stops_for("behind its cursor").await;
    let adopted = world.order_jobs(&["adopt"]);
    assert!(adopted.contains("These events have new positions"), "{adopted}");
    world.is_ready().await;
    world.published(&hidden).await;
    world.published(&later).await;
    let again = world.order_jobs(&["adopt"]);
    assert!(again.contains("there is nothing to adopt"), "{again}");
    let after = world.place(20).await;
    world.published(&after).await;
}

#[tokio::test]
async fn a_relay_publishes_nothing_before_the_outbox_was_found_sound() {
    let mut world = World::new(AdoptPromotion::Off).await;
    world.start_relay();
    world.is_ready().await;
    let before = world.place(40).await;
    world.published(&before).await;
    world.stop.cancel();
    eventually(|| "it has stopped".to_owned(), async || world.readiness().await.is_none()).await;
    world.stop = CancellationToken::new();

    world.fresh.execute(BACK_TO_1).await.unwrap();
    let waiting = world.place(60).await;
    world.start_relay();
    world.stops_for("behind its cursor").await;
    assert!(world.seen.lock().unwrap().is_disjoint(&waiting));
    world.order_jobs(&["adopt"]);
    world.published(&waiting).await;
}

#[tokio::test]
async fn a_relay_on_another_server_waits_to_be_adopted() {
    let world = World::new(AdoptPromotion::Synchronous).await;
    world.start_relay();
    world.is_ready().await;
    for (change, why) in [
        ("system_identifier = system_identifier - 1", "in another Postgres than before"),
        ("timeline = timeline + 1", "promoted or restored"),
    ] {
        let change = format!("UPDATE ordering.outbox_identity SET {change}");
        world.fresh.execute(&change).await.unwrap();
        let waiting = world.place(5).await;
        world.stops_for(why).await;
        assert!(world.seen.lock().unwrap().is_disjoint(&waiting));
        world.order_jobs(&["adopt"]);
        world.published(&waiting).await;
        world.is_ready().await;
    }
}

#[tokio::test]
async fn the_promotion_of_a_synchronous_standby_needs_nobody_if_the_settings_say_so() {
    let world = World::new(AdoptPromotion::Synchronous).await;
    world.start_relay();
    world.is_ready().await;
    let promoted = "UPDATE ordering.outbox_identity SET timeline = timeline - 1";
    world.fresh.execute(promoted).await.unwrap();
    let events = world.place(5).await;
    world.published(&events).await;
    world.is_ready().await;
}
