use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::pharmacy::{PharmacySnapshot, PharmacyStatus};
use domain::{OrderId, Timestamp};

use super::{DeadLetterFixture, InMemoryDeadLetters, PharmacyFixture, sample, store_dead_letter};
use crate::StoreError;
use crate::dead_letters::DeadLetterNumber;
use crate::pharmacy::{
    OrderRevision, PharmacyOrderView, PharmacyOrders, PharmacyViewStatus, PharmacyViews,
    ReceiveOrders, SaveAllError,
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
            self.dead.store_once(letter);
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

impl DeadLetterFixture for InMemoryPharmacy {
    type DeadLetters = InMemoryDeadLetters;

    fn dead_letter_port(&self) -> InMemoryDeadLetters {
        self.dead.clone()
    }

    async fn add_dead_letter(&self, n: u32, version: u32, reason: &str) -> DeadLetterNumber {
        store_dead_letter(&ReceiveOrders(self.clone()), &self.dead, n, version, reason).await
    }

    fn unknown_id(&self) -> DeadLetterNumber {
        DeadLetterNumber::new(i64::MAX)
    }
}
