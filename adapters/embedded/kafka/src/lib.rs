//! A Kafka cluster with three brokers in this process: the mock cluster of librdkafka, on TCP
//! sockets.

use rdkafka::ClientConfig;
use rdkafka::client::{Client, ClientContext};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::mocking::MockCluster;
use rdkafka::types::RDKafkaType;

use runtime::StartError;
use runtime::config::{KafkaArgs, KafkaSecurityArgs};

/// Properties of librdkafka that clients of the cluster need.
///
/// A broker reads nothing from the connection of a member that waits for its group, for up to a
/// session timeout. If another request times out in that time, the member reconnects and joins
/// again, and librdkafka aborts the process of the cluster (`Assertion !member->resp`). So requests
/// must not time out earlier.
pub const CLIENT_PROPERTIES: &str = "session.timeout.ms=10000,socket.timeout.ms=12000";

/// Settings for clients of the cluster.
#[must_use]
pub fn client_args(
    servers: impl Into<String>,
    registry_url: impl Into<String>,
    topic: impl Into<String>,
) -> KafkaArgs {
    KafkaArgs {
        // A broker answers a fetch without new records only after the full wait.
        kafka_fetch_wait_ms: 20,
        security: KafkaSecurityArgs {
            kafka_properties: vec![CLIENT_PROPERTIES.into()],
            ..KafkaSecurityArgs::default()
        },
        ..KafkaArgs::at(servers, registry_url, topic)
    }
}

/// A Kafka cluster for all clients on this host. Dropping it stops the brokers.
///
/// Records are kept in memory only, at most 5 MiB or 100,000 records per partition; then the oldest
/// are deleted. There is no admin API, so the topic is created here. There is no leader election:
/// the partitions of a stopped broker are unavailable until it runs again.
pub struct EmbeddedKafka {
    // The client owns the cluster and, unlike the cluster, can be shared between threads.
    client: Client<Quiet>,
    bootstrap_servers: String,
}

/// Drops the log lines of the cluster, which contain nothing that an operator could act on.
struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, _: KafkaError, _: &str) {}
}

/// Why a broker could not be stopped or started.
#[derive(Debug, thiserror::Error)]
#[error("the embedded Kafka has no broker {broker}; its brokers are 1 to 3")]
pub struct BrokerError {
    broker: i32,
    #[source]
    source: KafkaError,
}

impl EmbeddedKafka {
    /// The number of brokers. Their ids start at 1.
    pub const BROKERS: u16 = 3;

    /// Starts three brokers on free ports of the loopback address and creates the topic, with a
    /// replica of every partition on each broker.
    ///
    /// # Errors
    /// When the brokers cannot listen, or the topic's name or number of partitions is invalid.
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

    /// Creates another topic, with a replica on each broker.
    ///
    /// # Errors
    /// When the cluster refuses it.
    pub fn create_topic(&self, topic: &str, partitions: i32) -> Result<(), StartError> {
        cluster_of(&self.client)
            .and_then(|cluster| cluster.create_topic(topic, partitions, Self::BROKERS.into()))
            .map_err(|error| StartError::other(format!("cannot create the topic {topic}"), error))
    }

    /// The brokers, in the format of `KAFKA_BOOTSTRAP_SERVERS`.
    #[must_use]
    pub fn bootstrap_servers(&self) -> String {
        self.bootstrap_servers.clone()
    }

    /// Stops a broker: closes its connections and accepts no new ones.
    ///
    /// # Errors
    /// When the broker does not exist.
    pub fn broker_down(&self, broker: i32) -> Result<(), BrokerError> {
        self.on(broker, |cluster| cluster.broker_down(broker))
    }

    /// Starts a stopped broker again, with all its records.
    ///
    /// # Errors
    /// When the broker does not exist.
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
        .ok_or_else(|| KafkaError::ClientCreation("the client does not own the cluster".to_owned()))
}

impl std::fmt::Debug for EmbeddedKafka {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmbeddedKafka")
            .field("bootstrap_servers", &self.bootstrap_servers)
            .finish_non_exhaustive()
    }
}
