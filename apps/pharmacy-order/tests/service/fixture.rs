//! The services that the program needs, which tests can start later.

use std::net::SocketAddr;
use std::time::Duration;

use adapter_kafka::{Cluster, KafkaPublisher, PARTITIONS, Registry};
use application::relay::{Delivery, OutboxRecord, Publisher};
use consumer::ConsumerArgs;
use domain::OrderId;
use domain::ordering::Order;
use embedded_kafka::EmbeddedKafka;
use embedded_postgres::testing::fresh_database;
use embedded_registry as registry;
use pharmacy_order::Config;
use relay::RelayArgs;
use runtime::config::{DatabaseArgs, HttpArgs, KafkaArgs, PHARMACY_TOPIC, PharmacyTopicArgs};
use serde_json::Value;
use test_support::{free_address, outbox_record};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

const TOPIC: &str = "order-created-topic";

/// A Kafka, a Postgres and a registry for one service.
pub(crate) struct Fixture {
    kafka: EmbeddedKafka,
    /// The direct connection to Postgres, which always works.
    database: DatabaseArgs,
    /// The address of Postgres that the service uses. It works after [`Self::postgres_up`].
    postgres: SocketAddr,
    registry: SocketAddr,
    http: SocketAddr,
}

impl Fixture {
    pub(crate) async fn all_down() -> Self {
        let fixture = Self::only_kafka_up().await;
        for broker in 1..=3 {
            fixture.kafka.broker_down(broker).unwrap();
        }
        fixture
    }

    pub(crate) async fn only_kafka_up() -> Self {
        adapter_kafka::tls::prepare();
        let kafka = EmbeddedKafka::start(TOPIC, PARTITIONS).unwrap();
        kafka.create_topic(PHARMACY_TOPIC, PARTITIONS).unwrap();
        Self {
            kafka,
            database: fresh_database().await.unwrap().args(),
            postgres: free_address().await,
            registry: free_address().await,
            http: free_address().await,
        }
    }

    pub(crate) fn config(&self) -> Config {
        Config {
            consumer: ConsumerArgs {
                database: DatabaseArgs::at(self.database_url(), 10),
                kafka: self.kafka_args(),
                http: HttpArgs::default(),
            },
            http_addr: self.http,
            kafka_group: "pharmacy-order-group".to_owned(),
            pharmacy_topic: PharmacyTopicArgs::default(),
            relay: RelayArgs::default(),
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
        embedded_kafka::client_args(self.kafka.bootstrap_servers(), registry_url, TOPIC)
    }

    /// Makes Postgres available to the service, by a proxy.
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
        registry::testing::start(self.registry, &self.database).await.unwrap();
    }

    /// The response of the service. `None` if it does not listen.
    pub(crate) async fn get(&self, path: &str) -> Option<(u16, Value)> {
        let answer = reqwest::get(format!("http://{}{path}", self.http)).await.ok()?;
        Some((answer.status().as_u16(), answer.json().await.ok()?))
    }

    /// Carries out an action on the order at this path. Returns the status of the answer.
    pub(crate) async fn act(&self, path: &str, action: &str) -> u16 {
        let request = reqwest::Client::new().post(format!("http://{}{path}/{action}", self.http));
        request.header("If-Match", "*").send().await.unwrap().status().as_u16()
    }

    /// Publishes the recorded events of the order, as the relay would. `corrupt` may change the payload.
    pub(crate) async fn publish(&self, order: &Order, corrupt: impl Fn(&mut Vec<u8>)) {
        for event in order.recorded() {
            let mut record = outbox_record(event);
            corrupt(&mut record.payload);
            self.publish_record(&record).await;
        }
    }

    /// Publishes a record of the outbox, as the relay would.
    pub(crate) async fn publish_record(&self, record: &OutboxRecord) {
        let registry = Registry::new(&self.kafka_args()).unwrap();
        let cluster = Cluster::new(&self.kafka_args()).unwrap();
        let publisher =
            KafkaPublisher::new(&cluster, registry, "/ordering", adapter_avro::ordering()).unwrap();
        let deliveries = publisher.publish(&[record], Duration::from_secs(20)).await;
        assert_eq!(deliveries, [Delivery::Acknowledged]);
    }
}

pub(crate) fn path_of(id: OrderId) -> String {
    format!("/api/pharmacy/orders/{id}")
}
