use std::fmt;

use super::security::Properties;

/// The connection settings of a Kafka cluster, and the topic that its clients use.
///
/// The settings were validated, also by librdkafka. No connection has been opened yet.
#[derive(Clone)]
pub struct Cluster {
    pub(super) servers: String,
    pub(super) topic: String,
    pub(super) fetch_wait_ms: u32,
    pub(super) security: Properties,
    /// Properties that an operator has set in `KAFKA_PROPERTIES`. They are applied last.
    pub(super) properties: Vec<(String, String)>,
}

impl Cluster {
    /// The same cluster, with another topic.
    #[must_use]
    pub fn with_topic(&self, topic: &str) -> Self {
        Self { topic: topic.to_owned(), ..self.clone() }
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("servers", &self.servers)
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}
