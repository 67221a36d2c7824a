//! What the service lives in.

use std::net::SocketAddr;
use std::time::Duration;

use adapter_kafka::{Cluster, KafkaPublisher, PARTITIONS, Registry};
use adapter_postgres::Database;
use application::relay::{Delivery, OutboxRecord, Publisher};
use domain::OrderId;
use domain::ordering::Order;
use embedded_kafka::EmbeddedKafka;
use embedded_postgres::testing::fresh_database;
use embedded_registry as registry;
use pharmacy_order::Config;
use runtime::config::{DatabaseArgs, HttpArgs, KafkaArgs};
use serde_json::Value;
use test_support::outbox_record;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

const TOPIC: &str = "order-created-topic";

pub(crate) struct World {
    kafka: EmbeddedKafka,
    /// The way to Postgres that is open all the time.
    database: DatabaseArgs,
    /// The way the service knows.
    postgres: SocketAddr,
    registry: SocketAddr,
    http: SocketAddr,
}

impl World {
    pub(crate) async fn all_down() -> Self {
        let world = Self::only_kafka_up().await;
        for broker in 1..=3 {
            world.kafka.broker_down(broker).unwrap();
        }
        world
    }

    pub(crate) async fn only_kafka_up() -> Self {
        adapter_kafka::tls::prepare();
        Self {
            kafka: EmbeddedKafka::start(TOPIC, PARTITIONS).unwrap(),
            database: fresh_database().await.unwrap().args(),
            postgres: free_address().await,
            registry: free_address().await,
            http: free_address().await,
        }
    }

    pub(crate) fn config(&self) -> Config {
        Config {
            database: DatabaseArgs::at(self.database_url(), 10),
            kafka: self.kafka_args(),
            http_addr: self.http,
            http: HttpArgs::default(),
            kafka_group: "pharmacy-order-group".to_owned(),
            retention: pharmacy_order::RetentionArgs::default(),
        }
    }

    pub(crate) fn database_url(&self) -> String {
        let (_, url) = self.database.url().unwrap();
        let (before, after) = url.reveal().rsplit_once('@').unwrap();
        let (_, database) = after.split_once('/').unwrap();
        format!("{before}@{}/{database}", self.postgres)
    }

    pub(crate) fn kafka_args(&self) -> KafkaArgs {
        let registry_url = format!("http://{}", self.registry);
        KafkaArgs {
            kafka_fetch_wait_ms: 10,
            ..KafkaArgs::at(self.kafka.bootstrap_servers(), registry_url, TOPIC)
        }
    }

    /// From now on the service finds Postgres where it looks for it.
    pub(crate) async fn postgres_up(&self) {
        let listener = TcpListener::bind(self.postgres).await.unwrap();
        let (_, url) = self.database.url().unwrap();
        let (_, after) = url.reveal().rsplit_once('@').unwrap();
        let real = after.split_once('/').unwrap().0.to_owned();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let real = real.clone();
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(real).await.unwrap();
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
    }

    pub(crate) fn kafka_up(&self) {
        for broker in 1..=3 {
            self.kafka.broker_up(broker).unwrap();
        }
    }

    pub(crate) async fn registry_up(&self) {
        let database = Database::new(&self.database, "registry").unwrap();
        let router = registry::router(&database).await.unwrap();
        let listener = TcpListener::bind(self.registry).await.unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
    }

    /// What the service answers; `None` while it does not listen yet.
    pub(crate) async fn get(&self, path: &str) -> Option<(u16, Value)> {
        let answer = reqwest::get(format!("http://{}{path}", self.http)).await.ok()?;
        Some((answer.status().as_u16(), answer.json().await.ok()?))
    }

    /// Publishes what this order has recorded, as the relay would; `spoil` may change the bytes.
    pub(crate) async fn publish(&self, order: &Order, spoil: impl Fn(&mut Vec<u8>)) {
        for event in order.recorded() {
            let mut record = outbox_record(event);
            spoil(&mut record.payload);
            self.publish_record(&record).await;
        }
    }

    /// Publishes what lies in the outbox, as the relay would.
    pub(crate) async fn publish_record(&self, record: &OutboxRecord) {
        let registry = Registry::new(&self.kafka_args(), adapter_avro::SCHEMAS).unwrap();
        let cluster = Cluster::new(&self.kafka_args()).unwrap();
        let publisher = KafkaPublisher::new(&cluster, registry, "/ordering").unwrap();
        let deliveries = publisher.publish(&[record], Duration::from_secs(20)).await;
        assert_eq!(deliveries, [Delivery::Acknowledged]);
    }
}

/// An address nobody listens on.
async fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

pub(crate) fn path_of(id: OrderId) -> String {
    format!("/api/pharmacy/orders/{id}")
}
