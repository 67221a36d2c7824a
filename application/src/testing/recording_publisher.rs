use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::EventId;

use crate::relay::{Delivery, OutboxRecord, Publisher};

/// A publisher that acknowledges everything and remembers it, unless told otherwise. Without any
/// time left it sends nothing.
///
/// It holds its callers to their side of the port: two records of one order in one call panic.
#[derive(Debug, Default)]
pub struct RecordingPublisher {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waves: Vec<Vec<OutboxRecord>>,
    published: Vec<OutboxRecord>,
    answers: HashMap<EventId, Delivery>,
    overall: Option<Delivery>,
}

impl RecordingPublisher {
    /// Answers so for this event, until told otherwise.
    pub fn answer(&self, event: EventId, delivery: Delivery) {
        self.lock().answers.insert(event, delivery);
    }

    /// Answers so for every event that has no answer of its own.
    pub fn answer_all(&self, delivery: Delivery) {
        self.lock().overall = Some(delivery);
    }

    /// Acknowledges everything again.
    pub fn recover(&self) {
        let mut state = self.lock();
        state.answers.clear();
        state.overall = None;
    }

    /// What was acknowledged, in order.
    #[must_use]
    pub fn published(&self) -> Vec<OutboxRecord> {
        self.lock().published.clone()
    }

    /// What each call was given.
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
            assert!(orders.insert(record.order_id), "two events of one order in one call");
        }
        let mut state = self.lock();
        state.waves.push(records.iter().map(|&record| record.clone()).collect());
        let mut deliveries = Vec::with_capacity(records.len());
        for &record in records {
            let told = state.answers.get(&record.event_id).or(state.overall.as_ref()).cloned();
            let delivery = told.unwrap_or(Delivery::Acknowledged);
            if delivery == Delivery::Acknowledged {
                state.published.push(record.clone());
            }
            deliveries.push(delivery);
        }
        deliveries
    }
}
