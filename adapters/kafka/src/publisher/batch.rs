use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::error_codes::ErrorKind;
use super::send_result::SendResult;

/// The reason for a record without a delivery report at the deadline.
const NOT_ACKNOWLEDGED_IN_TIME: &str = "Kafka did not acknowledge it in time";

/// The results of records that are sent together, as far as they are known.
#[derive(Debug)]
pub(super) struct Batch {
    state: Mutex<State>,
    settled: Notify,
}

#[derive(Debug)]
struct State {
    results: Vec<Option<SendResult>>,
    pending: usize,
}

/// Refers to one record of a batch. librdkafka returns it with the delivery report of the record.
#[derive(Debug)]
pub(super) struct DeliveryHandle {
    batch: Arc<Batch>,
    index: usize,
}

impl Batch {
    pub(super) fn of(size: usize) -> Arc<Self> {
        let state = State { results: vec![None; size], pending: size };
        Arc::new(Self { state: Mutex::new(state), settled: Notify::new() })
    }

    pub(super) fn handle(self: &Arc<Self>, index: usize) -> DeliveryHandle {
        DeliveryHandle { batch: Arc::clone(self), index }
    }

    /// Waits until every record has a result.
    pub(super) async fn settled(&self) {
        loop {
            let notified = self.settled.notified();
            if self.with(|state| state.pending == 0) {
                return;
            }
            notified.await;
        }
    }

    /// The result of each record. A record without a result counts as an outage.
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
                state.pending -= 1;
            }
            state.pending == 0
        });
        if all {
            self.settled.notify_waiters();
        }
    }

    fn with<T>(&self, access: impl FnOnce(&mut State) -> T) -> T {
        access(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl DeliveryHandle {
    /// Sets the result of the record. A second result is ignored.
    pub(super) fn settle(self, result: SendResult) {
        self.batch.settle(self.index, result);
    }
}
