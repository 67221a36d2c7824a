//! The topic of all order events: its creation, and checks of its settings.

mod inspection;
mod readers;
mod rules;

use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, Producer as _};

pub use self::inspection::{Inspector, Settings, SettingsUnreadable, Shape};
pub use self::readers::Readers;
pub use self::rules::{Deviation, Expected, SETTINGS, deviations};
use super::client::Logging;
use super::cluster::Cluster;
use super::settings::{PARTITIONS, client_settings};

/// Timeout of one request to the cluster.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Timeout of one attempt to get metadata. After each attempt, authentication failures are checked:
/// if there is one, waiting longer is useless.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a new topic keeps records: 7 days, less than the outbox keeps events by default.
const RETENTION_MS: &str = "604800000";

/// How long a new topic collects records in one segment: a day. Kafka deletes only whole segments, so
/// records are kept up to a day longer than the retention, also those of a customer who was erased.
const SEGMENT_MS: &str = "86400000";

/// How long to run pending callbacks of the client, which report authentication failures.
const CALLBACK_TIMEOUT: Duration = Duration::from_millis(50);

/// Why the topic does not exist, or could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// No broker can be reached. Try again later.
    #[error("no broker answers at {servers}")]
    Unreachable {
        /// The configured brokers.
        servers: String,
        /// The error of the client.
        #[source]
        source: KafkaError,
    },
    /// The brokers reject the login or the certificate. Try again later: it may be fixed there.
    #[error("the brokers at {servers} reject this client: {reason}")]
    AuthenticationFailed {
        /// The configured brokers.
        servers: String,
        /// What is wrong with the login or a certificate.
        reason: String,
    },
    /// Fewer brokers are available than the topic needs replicas. Try again later.
    #[error(
        "the topic {topic} does not exist and needs {wanted} brokers, but only {found} are available; \
         start the others, or set KAFKA_TOPIC_REPLICATION to {found} if there are no more"
    )]
    TooFewBrokers {
        /// The topic.
        topic: String,
        /// The number of replicas it needs.
        wanted: i32,
        /// The number of available brokers.
        found: usize,
    },
    /// The cluster refuses to create it.
    #[error(
        "the topic {topic} does not exist and cannot be created; create it with {PARTITIONS} \
         partitions"
    )]
    Refused {
        /// The topic.
        topic: String,
        /// The error of the cluster.
        #[source]
        source: KafkaError,
    },
}

/// Creates the topic if it does not exist, and returns whether it was created.
///
/// It is never created with fewer replicas, because their number does not grow by itself later.
///
/// # Errors
/// When no broker can be reached, too few are available, or the cluster refuses to create the
/// topic.
pub async fn ensure(
    cluster: &Cluster,
    partitions: i32,
    replication: i32,
) -> Result<bool, TopicError> {
    let topic = cluster.topic.clone();
    let refused = |source| TopicError::Refused { topic: topic.clone(), source };
    let found = match find(cluster).await? {
        Found::Exists => return Ok(false),
        Found::Missing { brokers } => brokers,
    };
    if i32::try_from(found).is_ok_and(|found| found < replication) {
        return Err(TopicError::TooFewBrokers { topic, wanted: replication, found });
    }
    let in_sync = if replication >= 3 { "2" } else { "1" };
    let new = NewTopic::new(&topic, partitions, TopicReplication::Fixed(replication))
        .set("min.insync.replicas", in_sync)
        .set("cleanup.policy", "delete")
        .set("retention.ms", RETENTION_MS)
        .set("segment.ms", SEGMENT_MS)
        .set("unclean.leader.election.enable", "false");
    let settings = client_settings(cluster);
    let admin: AdminClient<Logging> =
        settings.create_with_context(Logging::default()).map_err(&refused)?;
    let options = AdminOptions::new().request_timeout(Some(TIMEOUT));
    let results = admin.create_topics([&new], &options).await;
    tokio::task::spawn_blocking(move || drop(admin));
    for result in results.map_err(&refused)? {
        match result {
            // Another program has created it at the same time.
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => return Ok(false),
            Ok(_) => {}
            Err((_, code)) => return Err(refused(KafkaError::AdminOp(code))),
        }
    }
    Ok(true)
}

/// Whether the topic exists.
///
/// # Errors
/// When no broker can be reached, or the brokers reject this client.
pub(super) async fn exists(cluster: &Cluster) -> Result<bool, TopicError> {
    Ok(matches!(find(cluster).await?, Found::Exists))
}

async fn find(cluster: &Cluster) -> Result<Found, TopicError> {
    let servers = || cluster.servers.clone();
    let topic = cluster.topic.clone();
    let client: BaseProducer<Logging> = client_settings(cluster)
        .create_with_context(Logging::default())
        .map_err(|source| TopicError::Refused { topic: topic.clone(), source })?;
    // The metadata request blocks. So does dropping the client, which joins a thread.
    let lookup = tokio::task::spawn_blocking(move || fetch(&client, &topic));
    match lookup.await.unwrap_or(Err(LookupError::NoAnswer(KafkaError::Canceled))) {
        Ok(found) => Ok(found),
        Err(LookupError::Refused(reason)) => {
            Err(TopicError::AuthenticationFailed { servers: servers(), reason })
        }
        Err(LookupError::NoAnswer(source)) => {
            Err(TopicError::Unreachable { servers: servers(), source })
        }
    }
}

enum Found {
    Exists,
    Missing { brokers: usize },
}

enum LookupError {
    /// The brokers reject this client, for this reason.
    Refused(String),
    /// No broker answered.
    NoAnswer(KafkaError),
}

fn fetch(client: &BaseProducer<Logging>, topic: &str) -> Result<Found, LookupError> {
    let deadline = Instant::now() + TIMEOUT;
    let metadata = loop {
        match client.client().fetch_metadata(Some(topic), ATTEMPT_TIMEOUT) {
            Ok(metadata) => break metadata,
            Err(error) => {
                client.poll(CALLBACK_TIMEOUT);
                if let Some(reason) = client.context().auth_failure.take() {
                    return Err(LookupError::Refused(reason));
                }
                if Instant::now() >= deadline {
                    return Err(LookupError::NoAnswer(error));
                }
            }
        }
    };
    let exists = metadata.topics().iter().any(|found| {
        found.name() == topic && found.error().is_none() && !found.partitions().is_empty()
    });
    Ok(if exists { Found::Exists } else { Found::Missing { brokers: metadata.brokers().len() } })
}
