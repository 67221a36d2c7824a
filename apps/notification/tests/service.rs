//! The whole service on a real Postgres and the embedded Kafka and registry.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::net::SocketAddr;
use std::time::Duration;

use adapter_kafka::{Cluster, KafkaPublisher, PARTITIONS, Registry};
use adapter_postgres::Database;
use application::relay::{Delivery, OutboxRecord, Publisher};
use domain::OrderId;
use domain::ordering::{NewOrder, Order, OrderEvent, OrderItem, OrderItems, ProductId, Quantity};
use embedded_kafka::EmbeddedKafka;
use embedded_postgres::testing::fresh_database;
use embedded_registry as registry;
use notification::Config;
use runtime::clock;
use runtime::config::{HttpArgs, KafkaArgs, LogFormat, TelemetryArgs};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const TOPIC: &str = "order-created-topic";

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_notify_of_each_event_once_and_stop_when_told() {
    adapter_kafka::tls::prepare();
    let kafka = EmbeddedKafka::start(TOPIC, PARTITIONS).unwrap();
    let database = fresh_database().await.unwrap().args();
    let schemas = listener().await;
    let registry_url = format!("http://{}", schemas.local_addr().unwrap());
    let kafka_args = KafkaArgs {
        kafka_fetch_wait_ms: 10,
        ..KafkaArgs::at(kafka.bootstrap_servers(), registry_url, TOPIC)
    };
    let router = registry::router(&Database::new(&database, "registry").unwrap()).await.unwrap();
    tokio::spawn(async move { axum::serve(schemas, router).await });

    let stop = CancellationToken::new();
    let addresses = [free_address().await, free_address().await];
    let instances = addresses.map(|http_addr| {
        let config = Config {
            database: database.clone(),
            kafka: kafka_args.clone(),
            telemetry: TelemetryArgs { rust_log: "info".to_owned(), log_format: LogFormat::Text },
            http_addr,
            http: HttpArgs::default(),
            kafka_group: "notification-group".to_owned(),
            retention: notification::RetentionArgs::default(),
        };
        tokio::spawn(notification::run(config, stop.clone()))
    });

    let cluster = Cluster::new(&kafka_args).unwrap();
    let publisher = KafkaPublisher::new(
        &cluster,
        Registry::new(&kafka_args, adapter_avro::SCHEMAS).unwrap(),
        "/ordering",
    )
    .unwrap();
    let orders: Vec<Order> = (0..20).map(|_| placed_and_cancelled()).collect();
    for event in orders.iter().flat_map(Order::recorded) {
        // Each twice, as after a relay's crash.
        for _ in 0..2 {
            let deliveries = publisher.publish(&[&record(event)], Duration::from_secs(20)).await;
            assert_eq!(deliveries, [Delivery::Acknowledged]);
        }
    }

    for order in &orders {
        let items = all_sent(addresses[0], order.id()).await;
        let events: Vec<&Value> = items.iter().map(|item| &item["eventId"]).collect();
        let expected: Vec<Value> =
            order.recorded().iter().map(|event| json!(event.id.to_string())).collect();
        assert_eq!(events, expected.iter().collect::<Vec<_>>());
    }

    stop.cancel();
    for instance in instances {
        tokio::time::timeout(Duration::from_secs(20), instance).await.unwrap().unwrap().unwrap();
    }
}

/// The notifications about this order, once both are sent.
async fn all_sent(service: SocketAddr, order: OrderId) -> Vec<Value> {
    let url = format!("http://{service}/api/notifications?orderId={order}");
    let wait = async {
        loop {
            if let Ok(answer) = reqwest::get(&url).await
                && let Ok(mut list) = answer.json::<Value>().await
                && let Value::Array(items) = list["items"].take()
                && items.iter().filter(|item| item["state"] == "sent").count() >= 2
            {
                return items;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.expect("notified in time")
}

fn placed_and_cancelled() -> Order {
    let item = OrderItem {
        product_id: ProductId::try_from(7).unwrap(),
        quantity: Quantity::try_from(2).unwrap(),
        medication: None,
    };
    let new = NewOrder {
        id: clock::new_order_id(),
        customer_name: "Ada".parse().unwrap(),
        items: OrderItems::try_from(vec![item]).unwrap(),
        note: None,
    };
    let mut order = Order::place(new, clock::event_stamp());
    assert!(order.cancel("too slow".parse().unwrap(), clock::event_stamp()).is_applied());
    order
}

/// The event as the relay finds it in the outbox.
fn record(event: &OrderEvent) -> OutboxRecord {
    let encoded = adapter_avro::encode(event).unwrap();
    OutboxRecord {
        lane: 0,
        position: 1,
        event_id: event.id,
        aggregate_id: event.order_id.get(),
        aggregate_version: event.version.get(),
        event_type: encoded.event_type.to_owned(),
        schema_fingerprint: encoded.schema_fingerprint.to_vec(),
        payload: encoded.payload,
        headers: Vec::new(),
        occurred_at: event.occurred_at,
    }
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// An address nobody listens on.
async fn free_address() -> SocketAddr {
    listener().await.local_addr().unwrap()
}
