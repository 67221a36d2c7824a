use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rdkafka::{Offset, TopicPartitionList};

/// The name of a topic and the number of a partition.
pub(super) type TopicPartition = (String, i32);

/// The partitions that are assigned to this member, each with the number of its assignment.
///
/// The offset of a record may be stored only if its partition has stayed assigned since the record
/// was fetched. Otherwise another member may own the partition, which started at the committed
/// offset.
#[derive(Debug, Default)]
pub(super) struct Membership(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    own: HashMap<TopicPartition, u64>,
    assignments: u64,
}

impl Membership {
    /// Adds newly assigned partitions. Returns how many are assigned now.
    pub(super) fn assigned(&self, partitions: &TopicPartitionList) -> usize {
        self.with(|state| {
            state.assignments += 1;
            let assignment = state.assignments;
            for topic_partition in topic_partitions(partitions) {
                state.own.insert(topic_partition, assignment);
            }
            state.own.len()
        })
    }

    /// Removes revoked partitions. Returns how many are left.
    pub(super) fn revoked(&self, partitions: &TopicPartitionList) -> usize {
        self.with(|state| {
            for topic_partition in topic_partitions(partitions) {
                state.own.remove(&topic_partition);
            }
            state.own.len()
        })
    }

    /// The number of a partition's assignment. `None` if the partition is not assigned.
    pub(super) fn assignment(&self, topic_partition: &TopicPartition) -> Option<u64> {
        self.with(|state| state.own.get(topic_partition).copied())
    }

    /// The assigned partitions.
    pub(super) fn own(&self) -> TopicPartitionList {
        self.with(|state| {
            let mut list = TopicPartitionList::with_capacity(state.own.len());
            for (topic, partition) in state.own.keys() {
                list.add_partition(topic, *partition);
            }
            list
        })
    }

    fn with<T>(&self, access: impl FnOnce(&mut State) -> T) -> T {
        access(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn topic_partitions(partitions: &TopicPartitionList) -> impl Iterator<Item = TopicPartition> {
    let elements = partitions.elements();
    elements
        .into_iter()
        .map(|e| (e.topic().to_owned(), e.partition()))
        .collect::<Vec<_>>()
        .into_iter()
}

/// The last processed offset of each partition in a batch.
#[derive(Debug, Default)]
pub(super) struct ProcessedOffsets(HashMap<TopicPartition, (Option<u64>, i64)>);

impl ProcessedOffsets {
    /// Adds a record that was fetched under this assignment. The records of a partition must be
    /// added in the sequence of their offsets.
    pub(super) fn add(
        &mut self,
        topic_partition: TopicPartition,
        assignment: Option<u64>,
        offset: i64,
    ) {
        self.0.insert(topic_partition, (assignment, offset));
    }

    /// The offsets to commit, of the partitions that have stayed assigned.
    pub(super) fn offsets(&self, membership: &Membership) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for (topic_partition, (assignment, offset)) in &self.0 {
            if assignment.is_some() && membership.assignment(topic_partition) == *assignment {
                // Fails only for a logical offset. This one is at least 1.
                let _ = list.add_partition_offset(
                    &topic_partition.0,
                    topic_partition.1,
                    Offset::Offset(offset + 1),
                );
            }
        }
        list
    }
}
