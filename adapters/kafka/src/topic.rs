//! The topic that carries every event of every order: created as it must be, and checked.

mod inspection;
mod readers;
mod rules;

use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, Producer as _};

pub use self::inspection::{Inspector, Settings, Shape, Undescribed};
pub use self::readers::Readers;
pub use self::rules::{Deviation, Expected, SETTINGS, deviations};
use super::client::Logging;
use super::cluster::Cluster;
use super::settings::{PARTITIONS, client_settings};

/// How long the cluster may take for one answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How often to look whether the brokers refuse, which they go on doing however long one waits.
const LOOK: Duration = Duration::from_secs(1);

/// How long to listen to what the client has to say by then. Long enough for all of it.
const LISTEN: Duration = Duration::from_millis(50);

/// Why the topic is not there.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// The cluster cannot be reached; trying again later is right.
    #[error("no broker answers at {servers}")]
    Unreachable {
        /// Where it was looked for.
        servers: String,
        /// What the client says.
        #[source]
        source: KafkaError,
    },
    /// The cluster does not let us in; trying again later is right, for it may be mended there.
    #[error("no broker at {servers} lets us in: {reason}")]
    NotLetIn {
        /// Where the cluster is.
        servers: String,
        /// What is wrong with the login or a certificate.
        reason: String,
    },
    /// Fewer brokers answer than the topic has replicas; trying again later is right.
    #[error(
        "the topic {topic} is not there, and only {found} of the {wanted} brokers that are to keep it \
         answer; start the others, or set KAFKA_TOPIC_REPLICATION to {found} if there are no more"
    )]
    TooFewBrokers {
        /// The topic.
        topic: String,
        /// How many replicas it is to have.
        wanted: i32,
        /// How many brokers answer.
        found: usize,
    },
    /// The cluster will not have it.
    #[error(
        "the topic {topic} is not there and cannot be created; create it with {PARTITIONS} partitions"
    )]
    Refused {
        /// The topic.
        topic: String,
        /// What the cluster says.
        #[source]
        source: KafkaError,
    },
}

/// Creates the topic if it is not there, with so many partitions and replicas; says whether it did.
/// It is never created with fewer replicas, since their number stays what it was at the beginning.
///
/// # Errors
/// When the cluster cannot be reached, too few brokers answer, or it will not create the topic.
pub async fn ensure(
    cluster: &Cluster,
    partitions: i32,
    replication: i32,
) -> Result<bool, TopicError> {
    let topic = cluster.topic.clone();
    let refused = |source| TopicError::Refused { topic: topic.clone(), source };
    let found = match find(cluster).await? {
        Found::There => return Ok(false),
        Found::Missing { brokers } => brokers,
    };
    if i32::try_from(found).is_ok_and(|found| found < replication) {
        return Err(TopicError::TooFewBrokers { topic, wanted: replication, found });
    }
    let in_sync = if replication >= 3 { "2" } else { "1" };
    let new = NewTopic::new(&topic, partitions, TopicReplication::Fixed(replication))
        .set("min.insync.replicas", in_sync)
        .set("cleanup.policy", "delete")
        .set("unclean.leader.election.enable", "false");
    let settings = client_settings(cluster);
    let admin: AdminClient<Logging> =
        settings.create_with_context(Logging::default()).map_err(&refused)?;
    let options = AdminOptions::new().request_timeout(Some(TIMEOUT));
    let answer = admin.create_topics([&new], &options).await;
    tokio::task::spawn_blocking(move || drop(admin));
    for result in answer.map_err(&refused)? {
        match result {
            // Somebody else was faster: the same is there.
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => return Ok(false),
            Ok(_) => {}
            Err((_, code)) => return Err(refused(KafkaError::AdminOp(code))),
        }
    }
    Ok(true)
}

/// Whether the topic is there.
///
/// # Errors
/// When no broker answers, or none lets us in.
pub(super) async fn exists(cluster: &Cluster) -> Result<bool, TopicError> {
    Ok(matches!(find(cluster).await?, Found::There))
}

async fn find(cluster: &Cluster) -> Result<Found, TopicError> {
    let servers = || cluster.servers.clone();
    let topic = cluster.topic.clone();
    let client: BaseProducer<Logging> = client_settings(cluster)
        .create_with_context(Logging::default())
        .map_err(|source| TopicError::Refused { topic: topic.clone(), source })?;
    // Asking for metadata blocks the thread, so it is done on one that may block. Dropping the
    // client joins a thread, and is done there too.
    let asked = tokio::task::spawn_blocking(move || look(&client, &topic));
    match asked.await.unwrap_or(Err(NotFound::Silence(KafkaError::Canceled))) {
        Ok(found) => Ok(found),
        Err(NotFound::Refused(reason)) => Err(TopicError::NotLetIn { servers: servers(), reason }),
        Err(NotFound::Silence(source)) => {
            Err(TopicError::Unreachable { servers: servers(), source })
        }
    }
}

enum Found {
    There,
    Missing { brokers: usize },
}

enum NotFound {
    /// No broker let us in, for this reason.
    Refused(String),
    /// No broker answered.
    Silence(KafkaError),
}

fn look(client: &BaseProducer<Logging>, topic: &str) -> Result<Found, NotFound> {
    let deadline = Instant::now() + TIMEOUT;
    let metadata = loop {
        match client.client().fetch_metadata(Some(topic), LOOK) {
            Ok(metadata) => break metadata,
            Err(error) => {
                client.poll(LISTEN);
                if let Some(reason) = client.context().refusal.take() {
                    return Err(NotFound::Refused(reason));
                }
                if Instant::now() >= deadline {
                    return Err(NotFound::Silence(error));
                }
            }
        }
    };
    let there = metadata.topics().iter().any(|found| {
        found.name() == topic && found.error().is_none() && !found.partitions().is_empty()
    });
    Ok(if there { Found::There } else { Found::Missing { brokers: metadata.brokers().len() } })
}
