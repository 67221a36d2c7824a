use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rdkafka::TopicPartitionList;
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{Offset, Statistics};

use super::fingerprint::RecordFingerprint;
use super::membership::TopicPartition;
use super::partition_progress::{Arrival, LogProblem, LogStatistics, PartitionProgress};

/// Progress in each partition that is assigned to this member.
#[derive(Debug, Default)]
pub(super) struct ConsumerProgress(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    progress: HashMap<TopicPartition, PartitionProgress>,
    /// Partitions that have to be read from their start.
    partitions_to_rewind: Vec<TopicPartition>,
}

impl ConsumerProgress {
    /// Adds newly assigned partitions and sets in `assigned` where to start reading them. For a
    /// partition that is missing in `committed`, librdkafka chooses the offset.
    pub(super) fn begin(&self, assigned: &TopicPartitionList, committed: &TopicPartitionList) {
        self.with(|state| {
            for mut element in assigned.elements() {
                let known = committed
                    .find_partition(element.topic(), element.partition())
                    .filter(|found| found.error().is_ok());
                let partition_progress = known.map_or_else(PartitionProgress::unknown, |known| {
                    let (partition_progress, start) =
                        PartitionProgress::begin(number(&known), known.metadata());
                    // Fails only for an invalid offset.
                    let _ = element.set_offset(start);
                    partition_progress
                });
                state.progress.insert(topic_partition(&element), partition_progress);
            }
        });
    }

    /// Removes revoked partitions.
    pub(super) fn remove(&self, partitions: &TopicPartitionList) {
        self.with(|state| {
            for element in partitions.elements() {
                state.progress.remove(&topic_partition(&element));
            }
        });
    }

    /// Adds a delivered record.
    pub(super) fn record(
        &self,
        topic_partition: &TopicPartition,
        fingerprint: RecordFingerprint,
    ) -> (Arrival, Option<LogProblem>) {
        self.with(|state| match state.progress.get_mut(topic_partition) {
            Some(partition_progress) => partition_progress.record(fingerprint),
            // The partition was revoked. The offset of this record is not committed.
            None => (Arrival::New, None),
        })
    }

    /// Compares the progress with statistics of librdkafka. Returns the problems and the lag.
    pub(super) fn compare(
        &self,
        statistics: &Statistics,
    ) -> (Vec<(TopicPartition, LogProblem)>, i64) {
        let mut all_problems = Vec::new();
        let mut lag = 0;
        self.with(|state| {
            for ((topic, partition), partition_progress) in &mut state.progress {
                let Some(log) =
                    statistics.topics.get(topic).and_then(|topic| topic.partitions.get(partition))
                else {
                    continue;
                };
                let topic_partition = (topic.clone(), *partition);
                let log = LogStatistics {
                    start: log.lo_offset,
                    end: log.ls_offset,
                    reached: log.eof_offset,
                    position: log.app_offset,
                    queued: log.fetchq_cnt,
                };
                let (problems, rewind) = partition_progress.compare(log);
                lag += partition_progress.lag(log);
                all_problems
                    .extend(problems.into_iter().map(|problem| (topic_partition.clone(), problem)));
                if rewind {
                    state.partitions_to_rewind.push(topic_partition);
                }
            }
        });
        (all_problems, lag)
    }

    /// Returns the partitions that have to be read from their start, and clears them.
    pub(super) fn partitions_to_rewind(&self) -> Vec<TopicPartition> {
        self.with(|state| std::mem::take(&mut state.partitions_to_rewind))
    }

    /// Marks offsets as processed and adds the fingerprints to commit with them.
    pub(super) fn mark_processed(&self, offsets: &TopicPartitionList) {
        self.with(|state| {
            for mut element in offsets.elements() {
                if let Some(partition_progress) = state.progress.get_mut(&topic_partition(&element))
                    && let Some(offset) = number(&element)
                    && let Some(fingerprint) = partition_progress.mark_processed(offset)
                {
                    element.set_metadata(fingerprint.to_string());
                }
            }
        });
    }

    /// Offsets to commit after transaction markers and deleted records, for the partitions whose
    /// delivered records are all processed.
    pub(super) fn trailing_offsets(&self) -> TopicPartitionList {
        self.with(|state| {
            let mut list = TopicPartitionList::new();
            for ((topic, partition), partition_progress) in &state.progress {
                if let Some(offset) = partition_progress.trailing_offset() {
                    // Fails only for a logical offset.
                    let _ = list.add_partition_offset(topic, *partition, Offset::Offset(offset));
                }
            }
            list
        })
    }

    fn with<T>(&self, access: impl FnOnce(&mut State) -> T) -> T {
        access(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn topic_partition(element: &TopicPartitionListElem<'_>) -> TopicPartition {
    (element.topic().to_owned(), element.partition())
}

fn number(element: &TopicPartitionListElem<'_>) -> Option<i64> {
    match element.offset() {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    }
}
