//! The relay starts while a service that it needs is down, and says which one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::net::SocketAddr;

use adapter_kafka::PARTITIONS;
use consumer::ConsumerArgs;
use embedded_kafka::EmbeddedKafka;
use embedded_postgres::testing::fresh_database;
use embedded_registry as registry;
use order_jobs::{Config, RetentionArgs};
use relay::RelayArgs;
use runtime::config::{HttpArgs, PHARMACY_TOPIC, PharmacyTopicArgs, TOPIC};
use serde_json::Value;
use test_support::{eventually, free_address};
use tokio_util::sync::CancellationToken;

/// The checks that are not ready; `None` if the service does not answer.
async fn not_ready(http: SocketAddr) -> Option<Vec<String>> {
    let body: Value =
        reqwest::get(format!("http://{http}/readyz")).await.ok()?.json().await.ok()?;
    let checks = body["checks"].as_array()?.iter().filter(|check| check["ready"] == false);
    checks.map(|check| Some(check["name"].as_str()?.to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_is_not_ready_before_the_registry_has_given_ids_to_its_schemas() {
    adapter_kafka::tls::prepare();
    let database = fresh_database().await.unwrap().args();
    let kafka = EmbeddedKafka::start(TOPIC, PARTITIONS).unwrap();
    kafka.create_topic(PHARMACY_TOPIC, PARTITIONS).unwrap();
    let (http, registry) = (free_address().await, free_address().await);
    let config = Config {
        consumer: ConsumerArgs {
            database: database.clone(),
            kafka: embedded_kafka::client_args(
                kafka.bootstrap_servers(),
                format!("http://{registry}"),
                TOPIC,
            ),
            http: HttpArgs::default(),
        },
        http_addr: http,
        kafka_group: "ordering-group".to_owned(),
        pharmacy_topic: PharmacyTopicArgs::default(),
        relay: RelayArgs::default(),
        retention: RetentionArgs::default(),
    };
    tokio::spawn(order_jobs::run(config, CancellationToken::new()));
    let waits =
        async || not_ready(http).await.is_some_and(|names| names.contains(&"registry".into()));
    eventually("the relay waits for the registry", waits).await;

    registry::testing::start(registry, &database).await.unwrap();
    let is_ready = async || not_ready(http).await.is_some_and(|names| names.is_empty());
    eventually("the relay is ready", is_ready).await;
}
