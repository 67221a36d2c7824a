use std::collections::HashMap;
use std::sync::Arc;

use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::producer::{BaseProducer, Producer as _};
use rdkafka::types::RDKafkaRespErr;

use super::{TIMEOUT, TopicError};
use crate::client::Logging;
use crate::cluster::Cluster;
use crate::settings::client_settings;

/// Reads the partitions and settings of the topic.
pub struct Inspector {
    servers: String,
    topic: String,
    client: Arc<BaseProducer<Logging>>,
    admin: AdminClient<Logging>,
}

/// The number of partitions and replicas of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// The number of partitions.
    pub partitions: i32,
    /// The number of replicas of the partition with the fewest.
    pub fewest_replicas: usize,
}

/// The settings of a topic, by name.
pub type Settings = HashMap<String, String>;

/// The brokers refuse to return the settings of the topic.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot read the settings of the topic; allow the relay to describe its configuration \
     (DescribeConfigs), or check them yourself"
)]
pub struct SettingsUnreadable(#[source] KafkaError);

impl Inspector {
    /// An inspector of this cluster's topic. It does not connect yet.
    ///
    /// # Errors
    /// When no client can be created with these settings.
    pub fn new(cluster: &Cluster) -> Result<Self, TopicError> {
        let refused = |source| TopicError::Refused { topic: cluster.topic.clone(), source };
        let settings = client_settings(cluster);
        let client = settings.create_with_context(Logging::default()).map_err(refused)?;
        let admin = settings.create_with_context(Logging::default()).map_err(refused)?;
        Ok(Self {
            servers: cluster.servers.clone(),
            topic: cluster.topic.clone(),
            client: Arc::new(client),
            admin,
        })
    }

    /// The topic's name.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// The current number of partitions and replicas. `None` if the topic does not exist.
    ///
    /// # Errors
    /// When no broker answers.
    pub async fn shape(&self) -> Result<Option<Shape>, TopicError> {
        let (client, topic) = (Arc::clone(&self.client), self.topic.clone());
        // The metadata request blocks.
        let lookup = tokio::task::spawn_blocking(move || shape(&client, &topic)).await;
        lookup
            .unwrap_or(Err(KafkaError::Canceled))
            .map_err(|source| TopicError::Unreachable { servers: self.servers.clone(), source })
    }

    /// The current settings of the topic. `None` if no broker answers, so that they are unknown.
    ///
    /// # Errors
    /// When the brokers refuse to return them.
    pub async fn settings(&self) -> Result<Option<Settings>, SettingsUnreadable> {
        let topic = ResourceSpecifier::Topic(&self.topic);
        let options = AdminOptions::new().request_timeout(Some(TIMEOUT));
        let result = self.admin.describe_configs([&topic], &options).await;
        let resources = match result {
            Ok(resources) => resources,
            Err(error) if is_no_answer(&error) => return Ok(None),
            Err(error) => return Err(SettingsUnreadable(error)),
        };
        let mut settings = Settings::new();
        for resource in resources {
            let resource =
                resource.map_err(|code| SettingsUnreadable(KafkaError::AdminOp(code)))?;
            let entries = resource.entries.into_iter();
            settings.extend(entries.filter_map(|entry| Some((entry.name, entry.value?))));
        }
        Ok(Some(settings))
    }
}

/// Whether no broker has answered. The mock brokers of librdkafka never answer this request.
fn is_no_answer(error: &KafkaError) -> bool {
    let code = match error {
        KafkaError::Canceled => return true,
        KafkaError::AdminOp(code) => Some(*code),
        other => other.rdkafka_error_code(),
    };
    matches!(
        code,
        Some(Code::OperationTimedOut | Code::BrokerTransportFailure | Code::AllBrokersDown)
    )
}

/// The number of partitions and replicas. `None` if the topic does not exist.
fn shape(client: &BaseProducer<Logging>, topic: &str) -> Result<Option<Shape>, KafkaError> {
    let metadata = client.client().fetch_metadata(Some(topic), TIMEOUT)?;
    let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else {
        return Ok(None);
    };
    match found.error() {
        None => {}
        Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) => return Ok(None),
        Some(other) => return Err(KafkaError::MetadataFetch(other.into())),
    }
    let replicas = found.partitions().iter().map(|partition| partition.replicas().len());
    let partitions = i32::try_from(found.partitions().len()).unwrap_or(i32::MAX);
    Ok(Some(Shape { partitions, fewest_replicas: replicas.min().unwrap_or(0) }))
}
