use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::ordering::{Order, OrderSnapshot, OrderStatus};
use domain::{EventId, OrderId};

use self::outbox_log::OutboxLog;
use super::OrderingWorld;
use crate::StoreError;
use crate::ordering::{
    Cause, Fingerprint, IdempotencyKey, OrderViews, Orders, RecallError, SaveError, Saved,
    StatusFilter,
};
use crate::reconcile::LedgerEntry;
use crate::relay::OutboxRecord;

mod outbox_log;
mod refused_events;

pub use outbox_log::InMemoryClaim;

/// The ordering context in memory: orders, their views and the outbox, for tests.
///
/// Clones share one store. Time is logical: it stands still until [`Self::advance`].
#[derive(Debug, Clone, Default)]
pub struct InMemoryOrdering {
    shared: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    orders: BTreeMap<OrderId, OrderSnapshot>,
    answers: HashMap<Answered, (Option<Fingerprint>, OrderSnapshot)>,
    log: OutboxLog,
}

#[derive(Debug, PartialEq, Eq, Hash)]
enum Answered {
    Request(IdempotencyKey),
    Event(EventId),
}

impl InMemoryOrdering {
    /// Lets so many seconds pass.
    pub fn advance(&self, seconds: u64) {
        self.lock().log.advance(seconds);
    }

    /// Every record of the outbox, whatever became of it, in the order they were stored.
    #[must_use]
    pub fn all_records(&self) -> Vec<OutboxRecord> {
        self.lock().log.records().cloned().collect()
    }

    /// The events that were put aside, and why.
    #[must_use]
    pub fn put_aside(&self) -> Vec<(EventId, String)> {
        self.lock().log.put_aside()
    }

    /// How many records are neither published nor put aside.
    #[must_use]
    pub fn unprocessed(&self) -> usize {
        self.lock().log.unprocessed()
    }

    /// Loses an order and its events, as a database does that is restored to an earlier moment.
    pub fn lose(&self, order: OrderId) {
        let mut state = self.lock();
        state.orders.remove(&order);
        state.log.lose(order);
    }

    /// Loses the events of an order, as retention does.
    pub fn lose_events(&self, order: OrderId) {
        self.lock().log.lose(order);
    }

    pub(super) fn entries(&self) -> Vec<LedgerEntry> {
        let entry = |order: &OrderSnapshot| LedgerEntry {
            order_id: order.id,
            version: order.version,
            events: order.version.get(),
        };
        self.lock().orders.values().map(entry).collect()
    }

    pub(super) fn orders_in_flight(&self) -> HashSet<OrderId> {
        self.lock().log.orders_in_flight()
    }

    pub(super) fn publish_again(&self, order: OrderId) -> i64 {
        self.lock().log.publish_again(order)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn recall(&self, cause: &Cause) -> Result<Option<Order>, KeyReused> {
        let (answered, fingerprint) = match cause {
            Cause::Unkeyed => return Ok(None),
            Cause::Request(key, fingerprint) => {
                (Answered::Request(key.clone()), Some(*fingerprint))
            }
            Cause::Event(id) => (Answered::Event(*id), None),
        };
        match self.answers.get(&answered) {
            None => Ok(None),
            Some((asked, _)) if *asked != fingerprint => Err(KeyReused),
            Some((_, answer)) => Ok(Order::restore(answer.clone()).ok()),
        }
    }
}

struct KeyReused;

impl Orders for InMemoryOrdering {
    async fn find(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        let snapshot = self.lock().orders.get(&id).cloned();
        snapshot
            .map(Order::restore)
            .transpose()
            .map_err(|error| StoreError::Broken(Box::new(error)))
    }

    async fn recall(&self, cause: &Cause) -> Result<Option<Order>, RecallError> {
        self.lock().recall(cause).map_err(|KeyReused| RecallError::KeyReused)
    }

    async fn save(&self, order: Order, cause: Cause) -> Result<Saved, SaveError> {
        let mut state = self.lock();
        if let Some(answer) = state.recall(&cause).map_err(|KeyReused| SaveError::KeyReused)? {
            return Ok(Saved::AnsweredBefore(answer));
        }
        let stored = state.orders.get(&order.id()).map(|stored| stored.version);
        if stored != order.stored_version() {
            return Err(SaveError::VersionConflict);
        }
        let snapshot = order.snapshot().clone();
        match cause {
            Cause::Unkeyed => None,
            Cause::Request(key, asked) => {
                state.answers.insert(Answered::Request(key), (Some(asked), snapshot.clone()))
            }
            Cause::Event(id) => state.answers.insert(Answered::Event(id), (None, snapshot.clone())),
        };
        state.orders.insert(order.id(), snapshot);
        for event in order.recorded() {
            state.log.append(event);
        }
        Ok(Saved::Stored(order.saved()))
    }
}

impl OrderViews for InMemoryOrdering {
    async fn view(&self, id: OrderId) -> Result<Option<OrderSnapshot>, StoreError> {
        Ok(self.lock().orders.get(&id).cloned())
    }

    async fn newest(
        &self,
        status: Option<StatusFilter>,
        before: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<OrderSnapshot>, StoreError> {
        let state = self.lock();
        let newest = state.orders.values().rev();
        Ok(newest
            .filter(|order| before.is_none_or(|before| order.id < before))
            .filter(|order| {
                status.is_none_or(|wanted| match order.status {
                    OrderStatus::Created => wanted == StatusFilter::Created,
                    OrderStatus::Cancelled { .. } => wanted == StatusFilter::Cancelled,
                })
            })
            .take(limit)
            .cloned()
            .collect())
    }
}

impl OrderingWorld for InMemoryOrdering {
    type Orders = Self;
    type Views = Self;
    type Outbox = Self;

    fn orders(&self) -> Self {
        self.clone()
    }

    fn views(&self) -> Self {
        self.clone()
    }

    fn outbox(&self) -> Self {
        self.clone()
    }

    async fn let_delays_pass(&self) {
        self.advance(outbox_log::LONGEST_DELAY);
    }
}
