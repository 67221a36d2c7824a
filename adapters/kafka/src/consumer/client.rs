use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::{ClientContext, Statistics, TopicPartitionList};
use tracing::{debug, info, warn};

use super::health::ConsumerHealth;
use super::membership::Membership;
use super::readings::Readings;
use super::{loss, measure};
use crate::client::Logging;

/// How long the coordinator of the group may take to say what the group has committed. It has just
/// assigned the partitions, so it is there.
const COMMITTED_WITHIN: Duration = Duration::from_secs(5);

/// What librdkafka tells a consumer, always on the thread that polls.
pub(super) struct Events {
    group: String,
    health: ConsumerHealth,
    logging: Logging,
    pub(super) membership: Membership,
    pub(super) readings: Readings,
    /// Whether newly assigned partitions are to wait, as the others do.
    pub(super) holding: AtomicBool,
    /// Whether a commit failed, so that it is to be made up for.
    pub(super) uncommitted: AtomicBool,
    /// Whether Kafka said that there is no such topic.
    pub(super) topic_is_missing: AtomicBool,
}

impl Events {
    pub(super) fn new(group: String, health: ConsumerHealth) -> Self {
        Self {
            group,
            health,
            logging: Logging::default(),
            membership: Membership::default(),
            readings: Readings::default(),
            holding: AtomicBool::new(false),
            uncommitted: AtomicBool::new(false),
            topic_is_missing: AtomicBool::new(false),
        }
    }

    /// Has the partitions read from where the group has committed, or from the record before that,
    /// which shows whether the log is still the same.
    fn begin(&self, consumer: &BaseConsumer<Self>, assigned: &TopicPartitionList) {
        let ask = || consumer.committed_offsets(assigned.clone(), COMMITTED_WITHIN);
        match blocking(ask) {
            Ok(committed) => self.readings.begin(assigned, &committed),
            Err(error) => {
                // librdkafka will ask again, until it is told.
                debug!(group = self.group, %error, "what the group has committed is not known");
                self.readings.begin(assigned, &TopicPartitionList::new());
            }
        }
    }
}

/// Waits on this thread; other tasks of a runtime with several go on elsewhere.
fn blocking<T>(wait: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(wait),
        _ => wait(),
    }
}

impl ClientContext for Events {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.logging.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            // Whom nobody lets in is better told why than that nobody is there.
            let refusal = self.logging.refusal.take();
            self.health.sees_no_broker(refusal.as_deref().unwrap_or(reason));
        }
        self.logging.error(error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        let mut brokers = statistics.brokers.values();
        if brokers.any(|broker| broker.state == "UP") {
            self.health.sees_a_broker();
            self.logging.refusal.take();
        }
        let (findings, lag) = self.readings.compare(&statistics);
        for (place, finding) in findings {
            loss::tell(&self.group, &self.health, &place, finding);
        }
        measure::lag(&self.group, lag);
    }
}

impl ConsumerContext for Events {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(partitions) if partitions.count() > 0 => {
                self.begin(consumer, partitions);
            }
            Rebalance::Assign(_) => {}
            Rebalance::Revoke(partitions) => {
                // The next owner is to begin where we stopped.
                commit(consumer);
                let left = self.membership.revoked(partitions);
                self.readings.forget(partitions);
                if consumer.assignment_lost() {
                    // The group did without us, or lets us in no more: only a new assignment tells.
                    self.health.left();
                } else {
                    self.health.keeps(left);
                }
                if partitions.count() > 0 {
                    info!(group = self.group, left, "partitions given up");
                }
            }
            Rebalance::Error(error) => warn!(group = self.group, %error, "rebalance failed"),
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance {
            let own = self.membership.assigned(partitions);
            self.health.sees_a_broker();
            if partitions.count() > 0 {
                self.health.may_read();
            }
            self.health.joined_with(own);
            // A partition that was paused, lost and won back would otherwise stay paused for good.
            let (paused, what) = if self.holding.load(Ordering::Relaxed) {
                (consumer.pause(partitions), "paused")
            } else {
                (consumer.resume(partitions), "resumed")
            };
            if let Err(error) = paused {
                warn!(group = self.group, %error, "partitions could not be {what}");
            }
            info!(group = self.group, own, "partitions assigned");
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        if let Err(error) = result
            && error.rdkafka_error_code() != Some(RDKafkaErrorCode::NoOffset)
        {
            debug!(group = self.group, %error, "offsets not committed yet");
            self.uncommitted.store(true, Ordering::Relaxed);
        }
    }
}

/// Commits, in the background, what is stored as done.
pub(super) fn commit<C: ConsumerContext>(consumer: &impl Consumer<C>) {
    match consumer.commit_consumer_state(CommitMode::Async) {
        Ok(()) => {}
        Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::NoOffset) => {}
        Err(error) => debug!(%error, "offsets not committed yet"),
    }
}
