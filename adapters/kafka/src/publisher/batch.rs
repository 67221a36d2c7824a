use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::outcome::{ErrorKind, SendResult};

/// What is said of a record that is still under way.
const NOT_ACKNOWLEDGED_IN_TIME: &str = "Kafka did not acknowledge it in time";

/// Records that were handed to librdkafka together, and what has become of them so far.
#[derive(Debug)]
pub(super) struct Batch {
    state: Mutex<State>,
    settled: Notify,
}

#[derive(Debug)]
struct State {
    results: Vec<Option<SendResult>>,
    open: usize,
}

/// The claim of one record on its place in the batch. librdkafka carries it along and gives it
/// back with the outcome.
#[derive(Debug)]
pub(super) struct DeliveryHandle {
    batch: Arc<Batch>,
    index: usize,
}

impl Batch {
    pub(super) fn of(size: usize) -> Arc<Self> {
        let state = State { results: vec![None; size], open: size };
        Arc::new(Self { state: Mutex::new(state), settled: Notify::new() })
    }

    pub(super) fn handle(self: &Arc<Self>, index: usize) -> DeliveryHandle {
        DeliveryHandle { batch: Arc::clone(self), index }
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
    pub(super) fn results(&self) -> Vec<SendResult> {
        let unknown = || SendResult::Error(ErrorKind::Outage, NOT_ACKNOWLEDGED_IN_TIME.to_owned());
        self.with(|state| {
            state.results.iter().map(|result| result.clone().unwrap_or_else(unknown)).collect()
        })
    }

    fn settle(&self, index: usize, result: SendResult) {
        let all = self.with(|state| {
            if let Some(slot @ None) = state.results.get_mut(index) {
                *slot = Some(result);
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

impl DeliveryHandle {
    /// Notes what became of the record.
    pub(super) fn settle(self, result: SendResult) {
        self.batch.settle(self.index, result);
    }
}
