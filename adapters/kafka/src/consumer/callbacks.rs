use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::{ClientContext, Statistics, TopicPartitionList};
use tracing::{debug, info, warn};

use super::health::ConsumerHealth;
use super::membership::Membership;
use super::progress::ConsumerProgress;
use super::{loss, measure};
use crate::client::Logging;

/// Timeout of the request for the committed offsets. Short, because the coordinator has just
/// assigned the partitions and so is available.
const COMMITTED_TIMEOUT: Duration = Duration::from_secs(5);

/// Callbacks that librdkafka calls for a consumer, always on the thread that polls.
pub(super) struct ConsumerCallbacks {
    group: String,
    health: ConsumerHealth,
    pub(super) republish: &'static str,
    logging: Logging,
    pub(super) membership: Membership,
    pub(super) progress: ConsumerProgress,
    /// Whether fetching is paused. Newly assigned partitions are then paused too.
    pub(super) paused: AtomicBool,
    /// Whether a commit failed and has to be repeated.
    pub(super) commit_failed: AtomicBool,
    /// Whether Kafka reported that the topic does not exist.
    pub(super) topic_missing: AtomicBool,
}

impl ConsumerCallbacks {
    pub(super) fn new(group: String, health: ConsumerHealth, republish: &'static str) -> Self {
        Self {
            group,
            health,
            republish,
            logging: Logging::default(),
            membership: Membership::default(),
            progress: ConsumerProgress::default(),
            paused: AtomicBool::new(false),
            commit_failed: AtomicBool::new(false),
            topic_missing: AtomicBool::new(false),
        }
    }

    /// Sets where to start reading the partitions: at the committed offset, or at the record before
    /// it if its fingerprint is known. That record shows whether the topic was created again.
    fn begin(&self, consumer: &BaseConsumer<Self>, assigned: &TopicPartitionList) {
        let request = || consumer.committed_offsets(assigned.clone(), COMMITTED_TIMEOUT);
        match blocking(request) {
            Ok(committed) => self.progress.begin(assigned, &committed),
            Err(error) => {
                // librdkafka repeats this request itself and starts at the committed offset.
                debug!(group = self.group, %error, "cannot read the committed offsets");
                self.progress.begin(assigned, &TopicPartitionList::new());
            }
        }
    }
}

/// Runs a blocking call on this thread. A multi-threaded runtime moves other tasks elsewhere.
fn blocking<T>(wait: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(wait),
        _ => wait(),
    }
}

impl ClientContext for ConsumerCallbacks {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.logging.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let all_brokers_down = error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown);
        self.logging.error(error, reason);
        // An authentication failure is a better reason than "all brokers are down". librdkafka reports
        // the two in either sequence.
        if all_brokers_down || self.health.brokers_are_unreachable() {
            match self.logging.auth_failure.take() {
                Some(why) => self.health.set_rejected(&why),
                None if all_brokers_down => self.health.set_brokers_unreachable(reason),
                None => {}
            }
        }
    }

    fn stats(&self, statistics: Statistics) {
        let mut brokers = statistics.brokers.values();
        if brokers.any(|broker| broker.state == "UP") {
            self.health.set_broker_reachable();
            self.logging.auth_failure.take();
        }
        let (problems, lag) = self.progress.compare(&statistics);
        for (topic_partition, problem) in problems {
            loss::report(&self.group, &self.health, self.republish, &topic_partition, problem);
        }
        measure::lag(&self.group, lag);
    }
}

impl ConsumerContext for ConsumerCallbacks {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(partitions) if partitions.count() > 0 => {
                self.begin(consumer, partitions);
            }
            Rebalance::Assign(_) => {}
            Rebalance::Revoke(partitions) => {
                // The next owner of the partitions continues at the committed offsets.
                commit(consumer);
                let left = self.membership.revoked(partitions);
                self.progress.remove(partitions);
                if consumer.assignment_lost() {
                    // The group has removed this member. It is ready again after a new assignment.
                    self.health.set_left();
                } else {
                    self.health.set_partitions(left);
                }
                if partitions.count() > 0 {
                    info!(group = self.group, left, "partitions revoked");
                }
            }
            Rebalance::Error(error) => warn!(group = self.group, %error, "rebalance failed"),
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance {
            let own = self.membership.assigned(partitions);
            self.health.set_broker_reachable();
            if partitions.count() > 0 {
                self.health.set_authorized();
            }
            self.health.set_joined(own);
            // Without `resume`, a partition that was paused, revoked and assigned again would stay
            // paused forever.
            let (paused, what) = if self.paused.load(Ordering::Relaxed) {
                (consumer.pause(partitions), "paused")
            } else {
                (consumer.resume(partitions), "resumed")
            };
            if let Err(error) = paused {
                warn!(group = self.group, %error, "newly assigned partitions were not {what}");
            }
            info!(group = self.group, own, "partitions assigned");
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        if let Err(error) = result
            && error.rdkafka_error_code() != Some(RDKafkaErrorCode::NoOffset)
        {
            debug!(group = self.group, %error, "offset commit failed; retrying");
            self.commit_failed.store(true, Ordering::Relaxed);
        }
    }
}

/// Commits the stored offsets in the background.
pub(super) fn commit<C: ConsumerContext>(consumer: &impl Consumer<C>) {
    match consumer.commit_consumer_state(CommitMode::Async) {
        Ok(()) => {}
        Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::NoOffset) => {}
        Err(error) => debug!(%error, "offset commit failed; retrying"),
    }
}

#[cfg(test)]
mod tests {
    use test_support::Log;

    use super::*;

    const DOWN: (RDKafkaErrorCode, &str) =
        (RDKafkaErrorCode::AllBrokersDown, "1/1 brokers are down");
    const REJECTED: (RDKafkaErrorCode, &str) = (RDKafkaErrorCode::SSL, "certificate verify failed");
    const OTHER: (RDKafkaErrorCode, &str) = (RDKafkaErrorCode::BrokerTransportFailure, "refused");

    /// The warnings about these errors, without what precedes their text.
    fn warnings(errors: &[(RDKafkaErrorCode, &str)]) -> Vec<String> {
        let (log, _guard) = Log::of_this_thread();
        let callbacks = ConsumerCallbacks::new("group".to_owned(), ConsumerHealth::default(), "");
        for (code, reason) in errors {
            callbacks.error(KafkaError::Global(*code), reason);
        }
        let warning = |line: String| Some(line.split_once("waiting: ")?.1.to_owned());
        log.lines().into_iter().filter_map(warning).collect()
    }

    #[test]
    fn the_reason_of_a_rejection_is_logged_once_whichever_error_comes_first() {
        let table = [
            (vec![OTHER, DOWN, OTHER, DOWN], vec![DOWN.1]),
            (vec![REJECTED, DOWN, REJECTED, DOWN], vec![REJECTED.1]),
            (vec![DOWN, REJECTED, REJECTED, DOWN], vec![DOWN.1, REJECTED.1]),
            (vec![REJECTED, OTHER], vec![]),
        ];
        for (errors, expected) in table {
            assert_eq!(warnings(&errors), expected, "{errors:?}");
        }
    }
}
