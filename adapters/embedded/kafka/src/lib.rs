//! A Kafka cluster of three brokers inside this process: librdkafka's own, on real sockets.

use rdkafka::ClientConfig;
use rdkafka::client::{Client, ClientContext};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::mocking::MockCluster;
use rdkafka::types::RDKafkaType;

use runtime::StartError;

/// A cluster that speaks Kafka's protocol to any client on this host. It lives as long as this
/// handle.
///
/// It is volatile and small: 5 MiB or 100,000 records a partition, after which the oldest go. It
/// has no admin requests, so its topic is made here; and a broker that is down keeps the lead of
/// its partitions, which wait until it is up again.
pub struct EmbeddedKafka {
    // The client owns the cluster, may be shared between threads, and lends the cluster out.
    client: Client<Quiet>,
    bootstrap_servers: String,
}

/// The cluster's own log has nothing an operator could act on.
struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, _: KafkaError, _: &str) {}
}

/// Why a broker could not be taken down or brought up.
#[derive(Debug, thiserror::Error)]
#[error("the embedded Kafka has no broker {broker}; its brokers are 1 to 3")]
pub struct BrokerError {
    broker: i32,
    #[source]
    source: KafkaError,
}

impl EmbeddedKafka {
    /// How many brokers the cluster has; their ids count from 1.
    pub const BROKERS: u16 = 3;

    /// Starts three brokers on free ports of the loopback address and makes the topic, with a
    /// replica of every partition on each broker.
    ///
    /// # Errors
    /// When the brokers cannot listen or the topic's name or size is refused.
    pub fn start(topic: &str, partitions: i32) -> Result<Self, StartError> {
        Self::start_cluster(topic, partitions)
            .map_err(|error| StartError::other("cannot start the embedded Kafka", error))
    }

    fn start_cluster(topic: &str, partitions: i32) -> KafkaResult<Self> {
        let mut config = ClientConfig::new();
        config.set("test.mock.num.brokers", Self::BROKERS.to_string());
        config.set("log_level", "0");
        let native = config.create_native_config()?;
        let client = Client::new(&config, native, RDKafkaType::RD_KAFKA_PRODUCER, Quiet)?;
        let bootstrap_servers = {
            let cluster = cluster_of(&client)?;
            cluster.create_topic(topic, partitions, Self::BROKERS.into())?;
            cluster.bootstrap_servers()
        };
        Ok(Self { client, bootstrap_servers })
    }

    /// The brokers, as `KAFKA_BOOTSTRAP_SERVERS` wants them.
    #[must_use]
    pub fn bootstrap_servers(&self) -> String {
        self.bootstrap_servers.clone()
    }

    /// Takes a broker down: its connections break and it accepts no new ones.
    ///
    /// # Errors
    /// When there is no such broker.
    pub fn broker_down(&self, broker: i32) -> Result<(), BrokerError> {
        self.on(broker, |cluster| cluster.broker_down(broker))
    }

    /// Brings a broker up again, with all it held.
    ///
    /// # Errors
    /// When there is no such broker.
    pub fn broker_up(&self, broker: i32) -> Result<(), BrokerError> {
        self.on(broker, |cluster| cluster.broker_up(broker))
    }

    fn on(
        &self,
        broker: i32,
        change: impl FnOnce(&MockCluster<'_, Quiet>) -> KafkaResult<()>,
    ) -> Result<(), BrokerError> {
        cluster_of(&self.client)
            .and_then(|cluster| change(&cluster))
            .map_err(|source| BrokerError { broker, source })
    }
}

fn cluster_of(client: &Client<Quiet>) -> KafkaResult<MockCluster<'_, Quiet>> {
    client
        .mock_cluster()
        .ok_or_else(|| KafkaError::ClientCreation("the client owns no cluster".to_owned()))
}

impl std::fmt::Debug for EmbeddedKafka {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmbeddedKafka")
            .field("bootstrap_servers", &self.bootstrap_servers)
            .finish_non_exhaustive()
    }
}
