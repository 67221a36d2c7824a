use std::process::Command;

use adapter_kafka::PARTITIONS;
use embedded_kafka::EmbeddedKafka;
use embedded_postgres::testing::fresh_database;
use embedded_registry as registry;
use runtime::config::KafkaArgs;
use test_support::Proxy;

const TOPIC: &str = "order-created-topic";
const PHARMACY_TOPIC: &str = "pharmacy-order-topic";

/// A Postgres, a Kafka cluster and a schema registry outside of the program. The network to each
/// can fail.
pub(crate) struct ExternalServices {
    pub(crate) postgres: Proxy,
    pub(crate) registry: Proxy,
    kafka: EmbeddedKafka,
    database_url: String,
    /// The URL of the registry without the proxy.
    registry_url: String,
}

impl ExternalServices {
    pub(crate) async fn start() -> Self {
        adapter_kafka::tls::prepare();
        let kafka = EmbeddedKafka::start(TOPIC, PARTITIONS).unwrap();
        kafka.create_topic(PHARMACY_TOPIC, PARTITIONS).unwrap();
        let database = fresh_database().await.unwrap();
        let local = ([127, 0, 0, 1], 0).into();
        let registry_url = registry::testing::start(local, &database.args()).await.unwrap();

        let (credentials, rest) = database.url().split_once('@').unwrap();
        let (server, name) = rest.split_once('/').unwrap();
        let postgres = Proxy::to(server.parse().unwrap()).await;
        let database_url = format!("{credentials}@{}/{name}", postgres.addr);
        let schemas = registry_url.trim_start_matches("http://");
        let registry = Proxy::to(schemas.parse().unwrap()).await;
        Self { postgres, registry, kafka, database_url, registry_url }
    }

    /// Sets the environment variables so that the program uses these services.
    pub(crate) fn configure<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("DATABASE_URL", &self.database_url)
            .env("KAFKA_BOOTSTRAP_SERVERS", self.kafka.bootstrap_servers())
            .env("KAFKA_PROPERTIES", embedded_kafka::CLIENT_PROPERTIES)
            .env("SCHEMA_REGISTRY_URL", format!("http://{}", self.registry.addr))
    }

    /// The same without Postgres, so that the program embeds its own.
    pub(crate) fn configure_kafka<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        self.configure(command).env_remove("DATABASE_URL")
    }

    pub(crate) fn database_url(&self) -> &str {
        &self.database_url
    }

    /// Settings for a client of Kafka that does not use the proxies.
    pub(crate) fn kafka_args(&self) -> KafkaArgs {
        embedded_kafka::client_args(
            self.kafka.bootstrap_servers(),
            self.registry_url.as_str(),
            TOPIC,
        )
    }

    /// The same for the topic of the pharmacy.
    pub(crate) fn pharmacy_kafka_args(&self) -> KafkaArgs {
        KafkaArgs { kafka_topic: PHARMACY_TOPIC.to_owned(), ..self.kafka_args() }
    }

    pub(crate) fn kafka_down(&self) {
        for broker in 1..=3 {
            self.kafka.broker_down(broker).unwrap();
        }
    }

    pub(crate) fn kafka_up(&self) {
        for broker in 1..=3 {
            self.kafka.broker_up(broker).unwrap();
        }
    }
}
