use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::outcome::{Answer, Meaning};

/// What is said of a record that is still under way.
const NOT_IN_TIME: &str = "Kafka did not acknowledge it in time";

/// Records that were handed to librdkafka together, and what has become of them so far.
#[derive(Debug)]
pub(super) struct Batch {
    state: Mutex<State>,
    settled: Notify,
}

#[derive(Debug)]
struct State {
    answers: Vec<Option<Answer>>,
    open: usize,
}

/// The claim of one record on its place in the batch. librdkafka carries it along and gives it
/// back with the outcome.
#[derive(Debug)]
pub(super) struct Ticket {
    batch: Arc<Batch>,
    place: usize,
}

impl Batch {
    pub(super) fn of(size: usize) -> Arc<Self> {
        let state = State { answers: vec![None; size], open: size };
        Arc::new(Self { state: Mutex::new(state), settled: Notify::new() })
    }

    pub(super) fn ticket(self: &Arc<Self>, place: usize) -> Ticket {
        Ticket { batch: Arc::clone(self), place }
    }

    /// Waits until each record has its outcome.
    pub(super) async fn settled(&self) {
        loop {
            let notified = self.settled.notified();
            if self.with(|state| state.open == 0) {
                return;
            }
            notified.await;
        }
    }

    /// What became of each record; for those still under way it is an outage.
    pub(super) fn answers(&self) -> Vec<Answer> {
        let unknown = || Answer::Error(Meaning::Outage, NOT_IN_TIME.to_owned());
        self.with(|state| {
            state.answers.iter().map(|answer| answer.clone().unwrap_or_else(unknown)).collect()
        })
    }

    fn settle(&self, place: usize, answer: Answer) {
        let all = self.with(|state| {
            if let Some(slot @ None) = state.answers.get_mut(place) {
                *slot = Some(answer);
                state.open -= 1;
            }
            state.open == 0
        });
        if all {
            self.settled.notify_waiters();
        }
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Ticket {
    /// Notes what became of the record.
    pub(super) fn settle(self, answer: Answer) {
        self.batch.settle(self.place, answer);
    }
}
