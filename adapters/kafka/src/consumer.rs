mod client;
mod health;
mod loss;
mod mark;
mod measure;
mod member;
mod membership;
mod reading;
mod readings;

use std::time::Duration;

use application::inbox::Inbox;
use rdkafka::error::KafkaError;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

pub use self::health::ConsumerHealth;
use self::member::{Left, Member};
use super::cluster::Cluster;
use super::decoder::EventDecoder;
use super::topic;

/// How long to wait before joining again after librdkafka gave up for good.
const REJOIN_PAUSE: Duration = Duration::from_secs(1);

/// How often to look whether a topic that is not there was created.
const TOPIC_PAUSE: Duration = Duration::from_secs(1);

/// Who consumes what.
#[derive(Debug, Clone)]
pub struct ConsumerConfig {
    /// The cluster and the topic.
    pub cluster: Cluster,
    /// The consumer group to be a member of.
    pub group: String,
    /// Where this consumer says how it is.
    pub health: ConsumerHealth,
}

/// Why nothing can be consumed. An outage is none of it: that is waited out.
#[derive(Debug, thiserror::Error)]
#[error("the Kafka consumer cannot be made")]
pub struct ConsumeError(#[source] KafkaError);

/// Waits until the topic is there, or until nobody answers, which whoever joins waits out.
async fn wait_for_topic(config: &ConsumerConfig, shutdown: &CancellationToken) {
    let ConsumerConfig { cluster, group, health } = config;
    let mut told = false;
    while let Ok(false) = topic::exists(cluster).await {
        if !told {
            told = true;
            warn!(
                group,
                topic = cluster.topic,
                "the topic does not exist; waiting for it. A relay that starts creates it, unless \
                 KAFKA_TOPIC is misspelt here"
            );
            health.waits_for(format!("the topic {} does not exist", cluster.topic));
        }
        let pause = tokio::time::sleep(TOPIC_PAUSE);
        if shutdown.run_until_cancelled(pause).await.is_none() {
            return;
        }
    }
}

/// Takes every event of the topic into `inbox`, as a member of a group, until `shutdown`.
///
/// An offset is committed only after [`application::inbox::receive`] has returned for every record
/// before it. While the store or the registry is away, the batch at hand is tried again and again:
/// the member stays in its group, fetches nothing more, and loses nothing. At shutdown the batch at
/// hand is finished if it can be, its offsets are committed, and the group is left.
///
/// # Errors
/// When no consumer can be made of the settings.
pub async fn consume(
    config: ConsumerConfig,
    decoder: EventDecoder,
    inbox: &impl Inbox,
    shutdown: CancellationToken,
) -> Result<(), ConsumeError> {
    measure::describe();
    loop {
        let member = Member::join(&config, decoder.clone()).map_err(ConsumeError)?;
        // Whether it is in its group is told by its first assignment.
        config.health.goes_on();
        // Boxed, for down to the database its type is so deep that a program's would pass the
        // compiler's limit.
        match Box::pin(member.run(inbox, &shutdown)).await {
            Left::Shutdown => {
                info!(group = config.group, "left the consumer group");
                return Ok(());
            }
            Left::TopicMissing => wait_for_topic(&config, &shutdown).await,
            Left::Fatal(why) => {
                error!(group = config.group, why, "the Kafka consumer gave up; joining again");
                config.health.waits_for(format!("Kafka: {why}"));
            }
        }
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(REJOIN_PAUSE) => {}
        }
    }
}
