//! The topic that carries every event of every order.

use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, Producer as _};

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

/// Creates the topic if it is not there: 12 partitions, on three brokers if there are as many, of
/// which two must have a record before it counts as kept.
///
/// # Errors
/// When the cluster cannot be reached or will not create it.
pub async fn ensure(cluster: &Cluster) -> Result<(), TopicError> {
    let topic = cluster.topic.clone();
    let servers = || cluster.servers.clone();
    let unreachable = |source| TopicError::Unreachable { servers: servers(), source };
    let refused = |source| TopicError::Refused { topic: topic.clone(), source };

    let settings = client_settings(cluster);
    let client: BaseProducer<Logging> =
        settings.create_with_context(Logging::default()).map_err(&refused)?;
    let name = topic.clone();
    // Asking for metadata blocks the thread, so it is done on one that may block. Dropping the
    // client joins a thread, and is done there too.
    let asked = tokio::task::spawn_blocking(move || look(&client, &name));
    let found = asked.await.map_err(|_| unreachable(KafkaError::Canceled))?;
    let brokers = match found {
        Ok(Found::There) => return Ok(()),
        Ok(Found::Missing { brokers }) => brokers,
        Err(NotFound::Refused(reason)) => {
            return Err(TopicError::NotLetIn { servers: servers(), reason });
        }
        Err(NotFound::Silence(error)) => return Err(unreachable(error)),
    };
    let replicas = i32::try_from(brokers.clamp(1, 3)).unwrap_or(1);
    let mut new = NewTopic::new(&topic, PARTITIONS, TopicReplication::Fixed(replicas));
    if replicas == 3 {
        new = new.set("min.insync.replicas", "2");
    }
    let admin: AdminClient<Logging> =
        settings.create_with_context(Logging::default()).map_err(&refused)?;
    let options = AdminOptions::new().request_timeout(Some(TIMEOUT));
    let answer = admin.create_topics([&new], &options).await;
    tokio::task::spawn_blocking(move || drop(admin));
    for result in answer.map_err(&refused)? {
        match result {
            // Somebody else was faster: the same is there.
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) => return Err(refused(KafkaError::AdminOp(code))),
        }
    }
    Ok(())
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
