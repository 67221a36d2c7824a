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

/// Looks at the topic, as often as it is asked.
pub struct Inspector {
    servers: String,
    topic: String,
    client: Arc<BaseProducer<Logging>>,
    admin: AdminClient<Logging>,
}

/// How many partitions a topic has, and replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// How many partitions it has.
    pub partitions: i32,
    /// How many replicas the partition with the fewest has.
    pub fewest_replicas: usize,
}

/// The values of a topic's settings, by their names.
pub type Settings = HashMap<String, String>;

/// The brokers do not tell us what the topic is set to.
#[derive(Debug, thiserror::Error)]
#[error(
    "the settings of the topic cannot be read; allow the relay to describe its configuration \
     (DescribeConfigs), or see to them yourself"
)]
pub struct Undescribed(#[source] KafkaError);

impl Inspector {
    /// Of this cluster's topic. Nothing was connected to yet.
    ///
    /// # Errors
    /// When no client can be made of the settings.
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

    /// What the topic is now; nothing if there is no such topic.
    ///
    /// # Errors
    /// When no broker answers.
    pub async fn shape(&self) -> Result<Option<Shape>, TopicError> {
        let (client, topic) = (Arc::clone(&self.client), self.topic.clone());
        // Asking for metadata blocks the thread, so it is done on one that may block.
        let asked = tokio::task::spawn_blocking(move || shape(&client, &topic)).await;
        asked
            .unwrap_or(Err(KafkaError::Canceled))
            .map_err(|source| TopicError::Unreachable { servers: self.servers.clone(), source })
    }

    /// What the topic is set to; nothing if no broker answers now, which says nothing of the topic.
    ///
    /// # Errors
    /// When the brokers refuse to tell.
    pub async fn settings(&self) -> Result<Option<Settings>, Undescribed> {
        let topic = ResourceSpecifier::Topic(&self.topic);
        let options = AdminOptions::new().request_timeout(Some(TIMEOUT));
        let answer = self.admin.describe_configs([&topic], &options).await;
        let resources = match answer {
            Ok(resources) => resources,
            Err(error) if is_silence(&error) => return Ok(None),
            Err(error) => return Err(Undescribed(error)),
        };
        let mut settings = Settings::new();
        for resource in resources {
            let resource = resource.map_err(|code| Undescribed(KafkaError::AdminOp(code)))?;
            let told = resource.entries.into_iter();
            settings.extend(told.filter_map(|entry| Some((entry.name, entry.value?))));
        }
        Ok(Some(settings))
    }
}

/// Whether nobody answered; brokers that are an imitation have no answer at all.
fn is_silence(error: &KafkaError) -> bool {
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

/// What the topic is; nothing if there is no such topic.
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
