use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::ordering::{Order, OrderSnapshot, StatusName};
use domain::{CustomerId, EventId, OrderId, Timestamp};

use self::outbox_log::OutboxLog;
use super::OrderingFixture;
use crate::StoreError;
use crate::ordering::{
    Answers, Cause, CustomerOrders, FindAnswerError, Fingerprint, IdempotencyKey, OrderViews,
    Orders, SaveError, Saved,
};
use crate::reconcile::LedgerEntry;
use crate::relay::OutboxRecord;

mod operators;
mod outbox_log;
mod refused_events;

pub use outbox_log::InMemoryClaim;

/// An in-memory store of orders with its outbox, for tests.
///
/// Clones share one store. Time is simulated: it changes only in [`Self::advance`].
#[derive(Debug, Clone, Default)]
pub struct InMemoryOrdering {
    shared: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    orders: BTreeMap<OrderId, OrderSnapshot>,
    answers: HashMap<Answered, Answer>,
    log: OutboxLog,
}

#[derive(Debug)]
struct Answer {
    fingerprint: Option<Fingerprint>,
    order: OrderSnapshot,
    stored_at: Timestamp,
}

#[derive(Debug, PartialEq, Eq, Hash)]
enum Answered {
    Request(IdempotencyKey),
    Event(EventId),
}

impl InMemoryOrdering {
    /// Advances the simulated time.
    pub fn advance(&self, seconds: u64) {
        self.lock().log.advance(seconds);
    }

    /// Every record of the outbox, also published and refused ones, oldest first.
    #[must_use]
    pub fn all_records(&self) -> Vec<OutboxRecord> {
        self.lock().log.records().cloned().collect()
    }

    /// The events that were refused, with the reason.
    #[must_use]
    pub fn refused_events(&self) -> Vec<(EventId, String)> {
        self.lock().log.refused_events()
    }

    /// How many records are neither published nor refused.
    #[must_use]
    pub fn unprocessed(&self) -> usize {
        self.lock().log.unprocessed()
    }

    /// Deletes an order and its events, as if the database had been restored from an older backup.
    pub fn delete_order(&self, order: OrderId) {
        let mut state = self.lock();
        state.orders.remove(&order);
        state.log.delete_events(order);
    }

    /// Deletes the events of an order, as retention does.
    pub fn delete_events(&self, order: OrderId) {
        self.lock().log.delete_events(order);
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
    fn find_answer(&self, cause: &Cause) -> Result<Option<Order>, KeyReused> {
        let (answered, fingerprint) = match cause {
            Cause::Unkeyed => return Ok(None),
            Cause::Request(key, fingerprint) => {
                (Answered::Request(key.clone()), Some(*fingerprint))
            }
            Cause::Event(id) => (Answered::Event(*id), None),
        };
        match self.answers.get(&answered) {
            None => Ok(None),
            Some(answer) if answer.fingerprint != fingerprint => Err(KeyReused),
            Some(answer) => Ok(Order::restore(answer.order.clone()).ok()),
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

    async fn find_answer(&self, cause: &Cause) -> Result<Option<Order>, FindAnswerError> {
        self.lock().find_answer(cause).map_err(|KeyReused| FindAnswerError::KeyReused)
    }

    async fn save(&self, order: Order, cause: Cause) -> Result<Saved, SaveError> {
        let mut state = self.lock();
        if let Some(answer) = state.find_answer(&cause).map_err(|KeyReused| SaveError::KeyReused)? {
            return Ok(Saved::AnsweredBefore(answer));
        }
        let stored = state.orders.get(&order.id()).map(|stored| stored.version);
        if stored != order.stored_version() {
            return Err(SaveError::VersionConflict);
        }
        let snapshot = order.snapshot().clone();
        let answered = match cause {
            Cause::Unkeyed => None,
            Cause::Request(key, fingerprint) => Some((Answered::Request(key), Some(fingerprint))),
            Cause::Event(id) => Some((Answered::Event(id), None)),
        };
        if let Some((answered, fingerprint)) = answered {
            let stored_at = state.log.now();
            let answer = Answer { fingerprint, order: snapshot.clone(), stored_at };
            state.answers.insert(answered, answer);
        }
        state.orders.insert(order.id(), snapshot);
        for event in order.recorded() {
            state.log.append(event);
        }
        Ok(Saved::Stored(order.saved()))
    }
}

impl Answers for InMemoryOrdering {
    async fn delete_before(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        let mut deleted = 0;
        self.lock().answers.retain(|_, answer| {
            let deletes = answer.stored_at < before && deleted < limit;
            deleted += usize::from(deletes);
            !deletes
        });
        Ok(deleted as u64)
    }
}

impl CustomerOrders for InMemoryOrdering {
    async fn page(
        &self,
        customer: &CustomerId,
        after: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<OrderId>, StoreError> {
        let state = self.lock();
        let of_customer =
            state.orders.values().filter(|order| order.customer_id.as_ref() == Some(customer));
        let ids = of_customer.map(|order| order.id).filter(|id| Some(*id) > after);
        Ok(ids.take(limit).collect())
    }

    async fn redact_answers(&self, customer: &CustomerId) -> Result<u64, StoreError> {
        let State { orders, answers, .. } = &mut *self.lock();
        let mut changed = 0;
        for Answer { order: answer, .. } in answers.values_mut() {
            let order = orders.get(&answer.id);
            if order.is_some_and(|order| {
                order.customer_id.as_ref() == Some(customer) && order.redacted_at.is_some()
            }) {
                let before = answer.clone();
                answer.redact_texts();
                changed += u64::from(*answer != before);
            }
        }
        Ok(changed)
    }
}

impl OrderViews for InMemoryOrdering {
    async fn view(&self, id: OrderId) -> Result<Option<OrderSnapshot>, StoreError> {
        Ok(self.lock().orders.get(&id).cloned())
    }

    async fn newest(
        &self,
        status: Option<StatusName>,
        before: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<OrderSnapshot>, StoreError> {
        let state = self.lock();
        let newest = state.orders.values().rev();
        Ok(newest
            .filter(|order| before.is_none_or(|before| order.id < before))
            .filter(|order| status.is_none_or(|status| order.status().name() == status))
            .take(limit)
            .cloned()
            .collect())
    }
}

impl OrderingFixture for InMemoryOrdering {
    type Orders = Self;
    type Views = Self;
    type Outbox = Self;
    type Answers = Self;
    type Customers = Self;

    fn orders(&self) -> Self {
        self.clone()
    }

    fn views(&self) -> Self {
        self.clone()
    }

    fn outbox(&self) -> Self {
        self.clone()
    }

    fn answers(&self) -> Self {
        self.clone()
    }

    fn customers(&self) -> Self {
        self.clone()
    }

    async fn let_delays_pass(&self) {
        self.advance(outbox_log::MAX_DELAY);
    }
}
