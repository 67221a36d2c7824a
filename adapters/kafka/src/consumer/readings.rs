use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rdkafka::TopicPartitionList;
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::{Offset, Statistics};

use super::mark::Mark;
use super::membership::Place;
use super::reading::{Arrival, Finding, Reading, Snapshot};

/// How far each of a member's own partitions is read.
#[derive(Debug, Default)]
pub(super) struct Readings(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    readings: HashMap<Place, Reading>,
    /// Partitions that must be read from their start.
    rewinds: Vec<Place>,
}

impl Readings {
    /// Begins to read partitions of which the group has committed this; sets where. A partition that
    /// is missing in `committed` is left to librdkafka.
    pub(super) fn begin(&self, assigned: &TopicPartitionList, committed: &TopicPartitionList) {
        self.with(|state| {
            for mut element in assigned.elements() {
                let known = committed
                    .find_partition(element.topic(), element.partition())
                    .filter(|found| found.error().is_ok());
                let reading = known.map_or_else(Reading::unknown, |known| {
                    let (reading, start) = Reading::begin(number(&known), known.metadata());
                    // It fails only for an offset that no partition has.
                    let _ = element.set_offset(start);
                    reading
                });
                state.readings.insert(place(&element), reading);
            }
        });
    }

    /// Forgets partitions that are no longer the member's own.
    pub(super) fn forget(&self, partitions: &TopicPartitionList) {
        self.with(|state| {
            for element in partitions.elements() {
                state.readings.remove(&place(&element));
            }
        });
    }

    /// A record arrived.
    pub(super) fn record(&self, place: &Place, mark: Mark) -> (Arrival, Option<Finding>) {
        self.with(|state| match state.readings.get_mut(place) {
            Some(reading) => reading.record(mark),
            // It is not the member's own any more, and will not be committed.
            None => (Arrival::New, None),
        })
    }

    /// Compares with librdkafka's statistics; gives what must be told, and the lag.
    pub(super) fn compare(&self, statistics: &Statistics) -> (Vec<(Place, Finding)>, i64) {
        let mut told = Vec::new();
        let mut lag = 0;
        self.with(|state| {
            for ((topic, partition), reading) in &mut state.readings {
                let Some(log) =
                    statistics.topics.get(topic).and_then(|topic| topic.partitions.get(partition))
                else {
                    continue;
                };
                let place = (topic.clone(), *partition);
                let log = Snapshot {
                    start: log.lo_offset,
                    end: log.ls_offset,
                    reached: log.eof_offset,
                    position: log.app_offset,
                    queued: log.fetchq_cnt,
                };
                let (findings, rewind) = reading.compare(log);
                lag += reading.lag(log);
                told.extend(findings.into_iter().map(|finding| (place.clone(), finding)));
                if rewind {
                    state.rewinds.push(place);
                }
            }
        });
        (told, lag)
    }

    /// Partitions that must be read from their start; each is given once.
    pub(super) fn rewinds(&self) -> Vec<Place> {
        self.with(|state| std::mem::take(&mut state.rewinds))
    }

    /// Notes offsets as done and adds what is to be committed with them.
    pub(super) fn done(&self, offsets: &TopicPartitionList) {
        self.with(|state| {
            for mut element in offsets.elements() {
                if let Some(reading) = state.readings.get_mut(&place(&element))
                    && let Some(offset) = number(&element)
                    && let Some(mark) = reading.done(offset)
                {
                    element.set_metadata(mark.to_string());
                }
            }
        });
    }

    /// Offsets behind what is done that hold no record, as far as everything handed over is done.
    pub(super) fn beyond(&self) -> TopicPartitionList {
        self.with(|state| {
            let mut list = TopicPartitionList::new();
            for ((topic, partition), reading) in &state.readings {
                if let Some(offset) = reading.beyond() {
                    // It fails only for a logical offset; this one is a number.
                    let _ = list.add_partition_offset(topic, *partition, Offset::Offset(offset));
                }
            }
            list
        })
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn place(element: &TopicPartitionListElem<'_>) -> Place {
    (element.topic().to_owned(), element.partition())
}

fn number(element: &TopicPartitionListElem<'_>) -> Option<i64> {
    match element.offset() {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    }
}
