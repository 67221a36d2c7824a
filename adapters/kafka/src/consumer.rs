mod callbacks;
mod fingerprint;
mod health;
mod loss;
mod measure;
mod member;
mod membership;
mod partition_progress;
mod progress;

use std::time::Duration;

use application::inbox::Inbox;
use rdkafka::error::KafkaError;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

pub use self::health::ConsumerHealth;
use self::member::{Exit, Member};
use super::cluster::Cluster;
use super::decoder::EventDecoder;
use super::topic;

/// Wait before joining again after a fatal error of librdkafka.
const REJOIN_DELAY: Duration = Duration::from_secs(1);

/// Interval of the checks whether a missing topic was created.
const TOPIC_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Configuration of a consumer.
#[derive(Debug, Clone)]
pub struct ConsumerConfig {
    /// The cluster and the topic to read.
    pub cluster: Cluster,
    /// The consumer group to join.
    pub group: String,
    /// Health that this consumer updates.
    pub health: ConsumerHealth,
    /// The commands that publish the events of the topic again, with backticks. Warnings about lost
    /// records name them.
    pub republish: &'static str,
}

/// The consumer could not be created. Outages are retried and never returned.
#[derive(Debug, thiserror::Error)]
#[error("cannot create the Kafka consumer")]
pub struct ConsumeError(#[source] KafkaError);

/// Waits until the topic exists. Returns also if no broker answers: joining retries that.
async fn wait_for_topic(config: &ConsumerConfig, shutdown: &CancellationToken) {
    let ConsumerConfig { cluster, group, health, .. } = config;
    let mut logged = false;
    while let Ok(false) = topic::exists(cluster).await {
        if !logged {
            logged = true;
            warn!(
                group,
                topic = cluster.topic,
                "the topic does not exist; waiting for it. A relay creates it when it starts; \
                 check KAFKA_TOPIC if the relay uses another name"
            );
            health.set_blocked(format!("the topic {} does not exist", cluster.topic));
        }
        let pause = tokio::time::sleep(TOPIC_POLL_INTERVAL);
        if shutdown.run_until_cancelled(pause).await.is_none() {
            return;
        }
    }
}

/// Consumes the topic as a member of a group and applies every event to `inbox`, until `shutdown`.
///
/// An offset is committed only after [`application::inbox::receive`] has returned for every record
/// before it. While the store or the registry is unavailable, the current batch is retried. The
/// member stays in its group, fetches no more records, and loses none. At shutdown it finishes the
/// current batch unless an outage prevents it, commits the offsets and leaves the group.
///
/// # Errors
/// When no consumer can be created with these settings.
pub async fn consume<P: Send + Sync>(
    config: ConsumerConfig,
    decoder: EventDecoder<P>,
    inbox: &impl Inbox<P>,
    shutdown: CancellationToken,
) -> Result<(), ConsumeError> {
    measure::describe();
    loop {
        let member = Member::join(&config, decoder.clone()).map_err(ConsumeError)?;
        // The consumer counts as joined only after its first assignment.
        config.health.clear_blocked();
        // Boxed, because the type of this future would exceed the compiler's recursion limit.
        match Box::pin(member.run(inbox, &shutdown)).await {
            Exit::Shutdown => {
                info!(group = config.group, "left the consumer group");
                return Ok(());
            }
            Exit::TopicMissing => wait_for_topic(&config, &shutdown).await,
            Exit::Fatal(why) => {
                error!(
                    group = config.group,
                    why, "fatal error of the Kafka consumer; joining the group again"
                );
                config.health.set_blocked(format!("Kafka: {why}"));
            }
        }
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(REJOIN_DELAY) => {}
        }
    }
}
