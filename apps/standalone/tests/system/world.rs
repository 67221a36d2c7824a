use std::process::Command;

use adapter_http::{bind, serve};
use adapter_kafka::PARTITIONS;
use adapter_postgres::Database;
use embedded_kafka::EmbeddedKafka;
use embedded_postgres::testing::fresh_database;
use embedded_registry as registry;
use runtime::config::KafkaArgs;
use tokio_util::sync::CancellationToken;

use crate::proxy::Proxy;

const TOPIC: &str = "order-created-topic";

/// A Postgres, a Kafka cluster and a schema registry outside of the program, each of which can be
/// taken away from it and given back.
pub(crate) struct World {
    pub(crate) postgres: Proxy,
    pub(crate) registry: Proxy,
    kafka: EmbeddedKafka,
    database_url: String,
    /// The way to the registry that is always open.
    registry_url: String,
}

impl World {
    pub(crate) async fn start() -> Self {
        adapter_kafka::tls::prepare();
        let kafka = EmbeddedKafka::start(TOPIC, PARTITIONS).unwrap();
        let database = fresh_database().await.unwrap();
        let listener = bind("127.0.0.1:0".parse().unwrap(), "a test").await.unwrap();
        let schemas = listener.addr();
        let tables = Database::new(&database.args(), "registry").unwrap();
        let router = registry::router(&tables).await.unwrap();
        tokio::spawn(serve(listener, router, CancellationToken::new()));

        let (credentials, rest) = database.url().split_once('@').unwrap();
        let (server, name) = rest.split_once('/').unwrap();
        let postgres = Proxy::to(server.parse().unwrap()).await;
        let database_url = format!("{credentials}@{}/{name}", postgres.addr);
        let registry_url = format!("http://{schemas}");
        let registry = Proxy::to(schemas).await;
        Self { postgres, registry, kafka, database_url, registry_url }
    }

    /// Tells the program to live here.
    pub(crate) fn lend_to<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("DATABASE_URL", &self.database_url)
            .env("KAFKA_BOOTSTRAP_SERVERS", self.kafka.bootstrap_servers())
            .env("SCHEMA_REGISTRY_URL", format!("http://{}", self.registry.addr))
    }

    /// Tells the program where Kafka and the registry are; it brings a Postgres of its own.
    pub(crate) fn lend_kafka_to<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        self.lend_to(command).env_remove("DATABASE_URL")
    }

    pub(crate) fn database_url(&self) -> &str {
        &self.database_url
    }

    /// The ways of an onlooker, which are not taken away.
    pub(crate) fn kafka_args(&self) -> KafkaArgs {
        KafkaArgs {
            kafka_fetch_wait_ms: 20,
            ..KafkaArgs::at(self.kafka.bootstrap_servers(), self.registry_url.as_str(), TOPIC)
        }
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
