use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::pharmacy::{PharmacySnapshot, PharmacyStatus};
use domain::{OrderId, Timestamp};

use super::{PharmacyFixture, sample};
use crate::StoreError;
use crate::pharmacy::{
    OrderRevision, PharmacyOrderView, PharmacyOrders, PharmacyViewStatus, PharmacyViews,
    SaveAllError,
};
use crate::published::DeadLetter;
use crate::reconcile::LedgerEntry;

/// An in-memory store of the pharmacy's orders and dead letters, for tests.
///
/// Clones share one store.
#[derive(Debug, Clone, Default)]
pub struct InMemoryPharmacy {
    shared: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    orders: BTreeMap<OrderId, (OrderRevision, Timestamp)>,
    dead: Vec<DeadLetter>,
    saves: u32,
}

impl InMemoryPharmacy {
    /// The stored dead letters, oldest first.
    #[must_use]
    pub fn stored_dead_letters(&self) -> Vec<DeadLetter> {
        self.lock().dead.clone()
    }

    /// Deletes an order, as if the database had been restored from an older backup.
    pub fn delete_order(&self, order: OrderId) {
        self.lock().orders.remove(&order);
    }

    pub(super) fn entries(&self) -> Vec<LedgerEntry> {
        let state = self.lock();
        let known = state.orders.values().map(|(revised, _)| revised.order.snapshot());
        let entry = |order: &PharmacySnapshot| {
            let version = order.version?;
            Some(LedgerEntry { order_id: order.id, version, events: version.get() - order.missing })
        };
        known.filter_map(entry).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stores the letter, unless a letter of the same record is already stored.
pub(super) fn store_once(stored: &mut Vec<DeadLetter>, letter: &DeadLetter) {
    let source = |letter: &DeadLetter| {
        (letter.record.topic.clone(), letter.record.partition, letter.record.offset)
    };
    if stored.iter().all(|other| source(other) != source(letter)) {
        stored.push(letter.clone());
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
            let saved = OrderRevision { order: order.clone(), revision: revision + 1 };
            let received_at = state.orders.get(&order.id()).map_or(now, |(_, at)| *at);
            state.orders.insert(order.id(), (saved, received_at));
        }
        for letter in dead {
            store_once(&mut state.dead, letter);
        }
        Ok(())
    }
}

impl PharmacyViews for InMemoryPharmacy {
    async fn view(&self, id: OrderId) -> Result<Option<PharmacyOrderView>, StoreError> {
        Ok(self.lock().orders.get(&id).map(view))
    }

    async fn newest(
        &self,
        status: Option<PharmacyViewStatus>,
        before: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<PharmacyOrderView>, StoreError> {
        let state = self.lock();
        let newest = state.orders.iter().rev();
        Ok(newest
            .filter(|(id, _)| before.is_none_or(|before| **id < before))
            .map(|(_, stored)| view(stored))
            .filter(|view| {
                status.is_none_or(|wanted| match view.order.status {
                    PharmacyStatus::Draft => wanted == PharmacyViewStatus::Draft,
                    PharmacyStatus::Cancelled { .. } => wanted == PharmacyViewStatus::Cancelled,
                })
            })
            .take(limit)
            .collect())
    }
}

fn view((revised, received_at): &(OrderRevision, Timestamp)) -> PharmacyOrderView {
    PharmacyOrderView { order: revised.order.snapshot().clone(), received_at: *received_at }
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
}
