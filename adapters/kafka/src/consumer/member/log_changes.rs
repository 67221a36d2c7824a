//! Reaction to lost records and to topics that were created again.

use application::one_line;
use rdkafka::Offset;
use rdkafka::consumer::Consumer;
use rdkafka::message::BorrowedMessage;
use rdkafka::util::Timeout;

use super::Member;
use crate::consumer::fingerprint::RecordFingerprint;
use crate::consumer::loss;
use crate::consumer::membership::TopicPartition;
use crate::consumer::partition_progress::Arrival;

impl<P: Send + Sync> Member<P> {
    /// Whether a record has to be applied. The first record after an assignment may be one that was
    /// processed before; it only shows whether the log is the same.
    pub(super) fn is_new_record(
        &self,
        topic_partition: &TopicPartition,
        message: &BorrowedMessage<'_>,
    ) -> Result<bool, String> {
        let (arrival, problem) = self
            .consumer
            .context()
            .progress
            .record(topic_partition, RecordFingerprint::of(message));
        if let Some(problem) = problem {
            let republish = self.consumer.context().republish;
            loss::report(&self.group, &self.health, republish, topic_partition, problem);
        }
        if arrival == Arrival::OtherLog {
            self.read_from_the_start(topic_partition)?;
        }
        Ok(arrival == Arrival::New)
    }

    /// Handles changes that the statistics have shown: rewinds partitions that were created again,
    /// and stores offsets after transaction markers. Returns whether any offset was stored.
    pub(super) fn handle_log_changes(&self) -> Result<bool, String> {
        let progress = &self.consumer.context().progress;
        for topic_partition in progress.partitions_to_rewind() {
            self.read_from_the_start(&topic_partition)?;
        }
        // Not while fetched records are waiting: their offsets would be skipped.
        Ok(self.fetched.is_empty() && self.store_offsets(&progress.trailing_offsets()))
    }

    fn read_from_the_start(&self, (topic, partition): &TopicPartition) -> Result<(), String> {
        // Without waiting: librdkafka drops the records that it fetched before the seek.
        self.consumer
            .seek(topic, *partition, Offset::Beginning, Timeout::After(std::time::Duration::ZERO))
            .map_err(|error| {
                format!("cannot rewind {topic} partition {partition}: {}", one_line(&error))
            })
    }
}
