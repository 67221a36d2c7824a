use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use std::time::Duration;

use domain::pharmacy::{PharmacyEvent, PharmacySnapshot};
use domain::{EventId, OrderId, Timestamp};

use super::{DeadLetterFixture, InMemoryDeadLetters, PharmacyFixture, sample, store_dead_letter};
use crate::StoreError;
use crate::dead_letters::DeadLetterNumber;
use crate::pharmacy::{
    OpenWork, OrderRevision, PharmacyOrderView, PharmacyOrders, PharmacyViews, ReceiveOrders,
    SaveAllError, Sequence, WorkState,
};
use crate::published::DeadLetter;
use crate::reconcile::LedgerEntry;

/// An in-memory store of the pharmacy's orders and dead letters, for tests.
///
/// Clones share one store.
#[derive(Debug, Clone, Default)]
pub struct InMemoryPharmacy {
    shared: Arc<Mutex<State>>,
    dead: InMemoryDeadLetters,
}

#[derive(Debug, Default)]
struct State {
    orders: BTreeMap<OrderId, (OrderRevision, Timestamp)>,
    events: Vec<PharmacyEvent>,
    saves: u32,
}

impl InMemoryPharmacy {
    /// The stored dead letters, oldest first.
    #[must_use]
    pub fn stored_dead_letters(&self) -> Vec<DeadLetter> {
        self.dead.all()
    }

    /// Deletes an order, as if the database had been restored from an older backup.
    pub fn delete_order(&self, order: OrderId) {
        self.lock().orders.remove(&order);
    }

    /// The recorded events of all orders, in the sequence of the saves.
    #[must_use]
    pub fn events(&self) -> Vec<PharmacyEvent> {
        self.lock().events.clone()
    }

    pub(super) fn entries(&self) -> Vec<LedgerEntry> {
        let state = self.lock();
        let known = state.orders.values().map(|(revised, _)| revised.order.snapshot());
        let entry = |order: &PharmacySnapshot| {
            let version = order.versions.latest()?;
            let events = version.get() - order.versions.missing();
            Some(LedgerEntry { order_id: order.id, version, events })
        };
        known.filter_map(entry).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PharmacyOrders for InMemoryPharmacy {
    async fn find_all(&self, ids: &[OrderId]) -> Result<Vec<OrderRevision>, StoreError> {
        let state = self.lock();
        let known = state.orders.values().map(|(revised, _)| revised);
        Ok(known.filter(|revised| ids.contains(&revised.order.id())).cloned().collect())
    }

    async fn save_all(
        &self,
        orders: &[OrderRevision],
        dead: &[DeadLetter],
    ) -> Result<(), SaveAllError> {
        let mut state = self.lock();
        for OrderRevision { order, revision } in orders {
            let stored = state.orders.get(&order.id()).map_or(0, |(stored, _)| stored.revision);
            if stored != *revision {
                return Err(SaveAllError::Conflict);
            }
        }
        state.saves += 1;
        let now = sample::at(state.saves);
        for OrderRevision { order, revision } in orders {
            state.events.extend_from_slice(order.recorded());
            let saved = OrderRevision { order: order.clone().saved(), revision: revision + 1 };
            let received_at = state.orders.get(&order.id()).map_or(now, |(_, at)| *at);
            state.orders.insert(order.id(), (saved, received_at));
        }
        for letter in dead {
            self.dead.store_once(letter);
        }
        Ok(())
    }
}

impl PharmacyViews for InMemoryPharmacy {
    async fn view(&self, id: OrderId) -> Result<Option<PharmacyOrderView>, StoreError> {
        Ok(self.lock().orders.get(&id).map(view))
    }

    async fn page(
        &self,
        states: &[WorkState],
        sequence: Sequence,
        after: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<PharmacyOrderView>, StoreError> {
        let state = self.lock();
        let in_states = state
            .orders
            .values()
            .map(view)
            .filter(|view| states.contains(&WorkState::from(&view.work.status)));
        Ok(match sequence {
            Sequence::OldestFirst => in_states
                .filter(|view| after.is_none_or(|after| view.order.id > after))
                .take(limit)
                .collect(),
            Sequence::NewestFirst => in_states
                .rev()
                .filter(|view| after.is_none_or(|after| view.order.id < after))
                .take(limit)
                .collect(),
        })
    }

    async fn worklist(&self) -> Result<Vec<OpenWork>, StoreError> {
        let stored = self.lock();
        let now = sample::at(stored.saves);
        let open = |state| {
            let in_state = stored
                .orders
                .values()
                .filter(|(revised, _)| WorkState::from(revised.order.status()) == state);
            let oldest = in_state.clone().map(|(_, received_at)| *received_at).min();
            let age = |at: Timestamp| {
                let micros = now.as_micros() - at.as_micros();
                Duration::from_micros(micros.unsigned_abs())
            };
            OpenWork { state, orders: in_state.count() as u64, oldest: oldest.map(age) }
        };
        Ok(WorkState::OPEN.map(open).to_vec())
    }
}

fn view((revised, received_at): &(OrderRevision, Timestamp)) -> PharmacyOrderView {
    let (order, work) = (revised.order.snapshot().clone(), revised.order.work().clone());
    PharmacyOrderView { order, work, received_at: *received_at }
}

impl PharmacyFixture for InMemoryPharmacy {
    type Orders = Self;
    type Views = Self;

    fn orders(&self) -> Self {
        self.clone()
    }

    fn views(&self) -> Self {
        self.clone()
    }

    async fn dead_letters(&self) -> Vec<DeadLetter> {
        self.stored_dead_letters()
    }

    async fn recorded(&self, order: OrderId) -> Vec<EventId> {
        let events = self.events().into_iter();
        events.filter(|event| event.order_id == order).map(|event| event.id).collect()
    }
}

impl DeadLetterFixture for InMemoryPharmacy {
    type DeadLetters = InMemoryDeadLetters;

    fn dead_letter_port(&self) -> InMemoryDeadLetters {
        self.dead.clone()
    }

    async fn add_dead_letter(&self, n: u32, version: u32, reason: &str) -> DeadLetterNumber {
        store_dead_letter(
            &ReceiveOrders { orders: self.clone(), now: sample::now },
            &self.dead,
            n,
            version,
            reason,
        )
        .await
    }

    fn unknown_id(&self) -> DeadLetterNumber {
        DeadLetterNumber::new(i64::MAX)
    }
}
