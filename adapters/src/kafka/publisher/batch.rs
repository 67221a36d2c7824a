use std::sync::{Arc, Mutex, PoisonError};

use application::relay::Delivery;
use tokio::sync::Notify;

/// Records that were handed to librdkafka together, and what has become of them so far.
#[derive(Debug)]
pub(super) struct Batch {
    state: Mutex<State>,
    settled: Notify,
}

#[derive(Debug)]
struct State {
    deliveries: Vec<Option<Delivery>>,
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
        let state = State { deliveries: vec![None; size], open: size };
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

    /// What became of each record; those still under way count as unreachable.
    pub(super) fn deliveries(&self) -> Vec<Delivery> {
        let unknown = || Delivery::Unreachable("Kafka did not acknowledge it in time".to_owned());
        self.with(|state| {
            state.deliveries.iter().map(|d| d.clone().unwrap_or_else(unknown)).collect()
        })
    }

    fn settle(&self, place: usize, delivery: Delivery) {
        let all = self.with(|state| {
            if let Some(slot @ None) = state.deliveries.get_mut(place) {
                *slot = Some(delivery);
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
    pub(super) fn settle(self, delivery: Delivery) {
        self.batch.settle(self.place, delivery);
    }
}
