//! The whole service on a real Postgres and the embedded Kafka and registry.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::net::SocketAddr;
use std::time::Duration;

use adapter_kafka::{Cluster, KafkaPublisher, PARTITIONS, Registry};
use application::relay::{Delivery, Publisher};
use consumer::ConsumerArgs;
use domain::OrderId;
use domain::ordering::{Order, PharmacyNews};
use embedded_kafka::EmbeddedKafka;
use embedded_postgres::testing::fresh_database;
use embedded_registry as registry;
use notification::Config;
use runtime::clock;
use runtime::config::HttpArgs;
use serde_json::{Value, json};
use test_support::{free_address, new_order, outbox_record};
use tokio_util::sync::CancellationToken;

const TOPIC: &str = "order-created-topic";

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_send_each_notification_once_and_stop_on_shutdown() {
    adapter_kafka::tls::prepare();
    let kafka = EmbeddedKafka::start(TOPIC, PARTITIONS).unwrap();
    let database = fresh_database().await.unwrap().args();
    let registry_url =
        registry::testing::start(([127, 0, 0, 1], 0).into(), &database).await.unwrap();
    let kafka_args = embedded_kafka::client_args(kafka.bootstrap_servers(), registry_url, TOPIC);

    let stop = CancellationToken::new();
    let addresses = [free_address().await, free_address().await];
    let instances = addresses.map(|http_addr| {
        let config = Config {
            consumer: ConsumerArgs {
                database: database.clone(),
                kafka: kafka_args.clone(),
                http: HttpArgs::default(),
            },
            http_addr,
            kafka_group: "notification-group".to_owned(),
            mail: notification::MailArgs::default(),
            webhooks: notification::WebhookArgs::default(),
            retention: notification::RetentionArgs::default(),
        };
        tokio::spawn(notification::run(config, stop.clone()))
    });

    let cluster = Cluster::new(&kafka_args).unwrap();
    let publisher = KafkaPublisher::new(
        &cluster,
        Registry::new(&kafka_args).unwrap(),
        "/ordering",
        adapter_avro::ordering(),
    )
    .unwrap();
    let orders: Vec<Order> = (0..20).map(|_| placed_and_cancelled()).collect();
    for event in orders.iter().flat_map(Order::recorded) {
        // Each event is published twice, as after a crash of the relay.
        for _ in 0..2 {
            let deliveries =
                publisher.publish(&[&outbox_record(event)], Duration::from_secs(20)).await;
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
    let mut order = new_order("Ada");
    assert!(order.follow(PharmacyNews::Cancelled, clock::event_stamp()).is_applied());
    order
}
