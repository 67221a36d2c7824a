use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::EventId;

use crate::relay::{Delivery, OutboxRecord, Publisher};

/// A publisher for tests. It acknowledges and records every record, unless another answer is set.
///
/// If no time is left, it sends nothing. It panics if a call has two records of one order, because
/// callers of the port must not do that.
#[derive(Debug, Default)]
pub struct RecordingPublisher {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waves: Vec<Vec<OutboxRecord>>,
    published: Vec<OutboxRecord>,
    answers: HashMap<EventId, Delivery>,
    answer_to_all: Option<Delivery>,
}

impl RecordingPublisher {
    /// Sets the answer for this event, until [`Self::recover`].
    pub fn answer(&self, event: EventId, delivery: Delivery) {
        self.lock().answers.insert(event, delivery);
    }

    /// Sets the answer for all events without an answer of their own, until [`Self::recover`].
    pub fn answer_all(&self, delivery: Delivery) {
        self.lock().answer_to_all = Some(delivery);
    }

    /// Removes all answers, so that everything is acknowledged again.
    pub fn recover(&self) {
        let mut state = self.lock();
        state.answers.clear();
        state.answer_to_all = None;
    }

    /// The acknowledged records, in sequence.
    #[must_use]
    pub fn published(&self) -> Vec<OutboxRecord> {
        self.lock().published.clone()
    }

    /// The records of each call.
    #[must_use]
    pub fn waves(&self) -> Vec<Vec<OutboxRecord>> {
        self.lock().waves.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Publisher for RecordingPublisher {
    async fn publish(&self, records: &[&OutboxRecord], time_left: Duration) -> Vec<Delivery> {
        if time_left.is_zero() {
            return vec![Delivery::Unsent; records.len()];
        }
        let mut orders = HashSet::new();
        for record in records {
            assert!(orders.insert(record.aggregate_id), "two events of one order in one call");
        }
        let mut state = self.lock();
        state.waves.push(records.iter().map(|&record| record.clone()).collect());
        let mut deliveries = Vec::with_capacity(records.len());
        for &record in records {
            let answer =
                state.answers.get(&record.event_id).or(state.answer_to_all.as_ref()).cloned();
            let delivery = answer.unwrap_or(Delivery::Acknowledged);
            if delivery == Delivery::Acknowledged {
                state.published.push(record.clone());
            }
            deliveries.push(delivery);
        }
        deliveries
    }
}
