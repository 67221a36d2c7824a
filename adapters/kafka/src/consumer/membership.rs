use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rdkafka::{Offset, TopicPartitionList};

/// A partition of a topic.
pub(super) type Place = (String, i32);

/// Which partitions are this member's own, and since which assignment.
///
/// A record counts as done only if its partition has been the member's own ever since it was
/// fetched: whoever has the partition now begins at the committed offset, not behind ours.
#[derive(Debug, Default)]
pub(super) struct Membership(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    own: HashMap<Place, u64>,
    assignments: u64,
}

impl Membership {
    /// Notes partitions that are now the member's own; says how many it has.
    pub(super) fn assigned(&self, partitions: &TopicPartitionList) -> usize {
        self.with(|state| {
            state.assignments += 1;
            let assignment = state.assignments;
            for place in places(partitions) {
                state.own.insert(place, assignment);
            }
            state.own.len()
        })
    }

    /// Notes partitions that are no longer the member's own; says how many are left.
    pub(super) fn revoked(&self, partitions: &TopicPartitionList) -> usize {
        self.with(|state| {
            for place in places(partitions) {
                state.own.remove(&place);
            }
            state.own.len()
        })
    }

    /// Under which assignment a partition is the member's own; `None` if it is not.
    pub(super) fn assignment(&self, place: &Place) -> Option<u64> {
        self.with(|state| state.own.get(place).copied())
    }

    /// The member's own partitions.
    pub(super) fn own(&self) -> TopicPartitionList {
        self.with(|state| {
            let mut list = TopicPartitionList::with_capacity(state.own.len());
            for (topic, partition) in state.own.keys() {
                list.add_partition(topic, *partition);
            }
            list
        })
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn places(partitions: &TopicPartitionList) -> impl Iterator<Item = Place> {
    let elements = partitions.elements();
    elements
        .into_iter()
        .map(|e| (e.topic().to_owned(), e.partition()))
        .collect::<Vec<_>>()
        .into_iter()
}

/// How far each partition is done, by the records a batch holds.
#[derive(Debug, Default)]
pub(super) struct Done(HashMap<Place, (Option<u64>, i64)>);

impl Done {
    /// Notes a record that was fetched under this assignment. Records of a partition come in the
    /// order of their offsets.
    pub(super) fn note(&mut self, place: Place, assignment: Option<u64>, offset: i64) {
        self.0.insert(place, (assignment, offset));
    }

    /// The offsets to go on from, of those partitions that are still the member's own.
    pub(super) fn offsets(&self, membership: &Membership) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for (place, (assignment, offset)) in &self.0 {
            if assignment.is_some() && membership.assignment(place) == *assignment {
                // It fails only for a logical offset; this one is a number from 1 on.
                let _ = list.add_partition_offset(&place.0, place.1, Offset::Offset(offset + 1));
            }
        }
        list
    }
}
