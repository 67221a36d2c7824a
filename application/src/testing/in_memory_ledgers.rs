//! The ledgers of the in-memory stores.

use std::hash::{DefaultHasher, Hash, Hasher};

use domain::OrderId;

use super::ordering_steps::{cancel, place};
use super::{InMemoryNotifications, InMemoryOrdering, InMemoryPharmacy, LedgerFixture, sample};
use crate::StoreError;
use crate::inbox::Inbox;
use crate::notification::RecordNotices;
use crate::ordering::Cause;
use crate::pharmacy::ReceiveOrders;
use crate::published::PublishedEvent;
use crate::reconcile::{
    Digest, LedgerEntry, OrderLedger, OrderRange, PublishedLedger, Republished,
};

fn digest(entry: &LedgerEntry) -> Digest {
    let mut hasher = DefaultHasher::new();
    (entry.order_id, entry.version, entry.events).hash(&mut hasher);
    Digest { orders: 1, hash: hasher.finish().cast_signed() }
}

/// Implements the ledger with `entries()`, which are ascending by order id.
macro_rules! ledger {
    ($store:ty) => {
        impl OrderLedger for $store {
            async fn digest(&self, range: OrderRange) -> Result<Digest, StoreError> {
                let entries = self.entries().into_iter();
                let within = entries.filter(|entry| range.contains(entry.order_id));
                Ok(within.fold(Digest::default(), |sum, entry| sum.and(digest(&entry))))
            }

            async fn page(
                &self,
                range: OrderRange,
                limit: usize,
            ) -> Result<Vec<LedgerEntry>, StoreError> {
                let entries = self.entries().into_iter();
                Ok(entries.filter(|entry| range.contains(entry.order_id)).take(limit).collect())
            }

            async fn find_all(&self, orders: &[OrderId]) -> Result<Vec<LedgerEntry>, StoreError> {
                let entries = self.entries().into_iter();
                Ok(entries.filter(|entry| orders.contains(&entry.order_id)).collect())
            }
        }
    };
}

ledger!(InMemoryOrdering);
ledger!(InMemoryPharmacy);
ledger!(InMemoryNotifications);

impl PublishedLedger for InMemoryOrdering {
    async fn in_flight(&self, orders: &[OrderId]) -> Result<Vec<OrderId>, StoreError> {
        let in_flight = self.orders_in_flight();
        Ok(orders.iter().filter(|order| in_flight.contains(order)).copied().collect())
    }

    async fn republish(&self, orders: &[OrderId]) -> Result<Vec<Republished>, StoreError> {
        let due = orders
            .iter()
            .map(|&order_id| Republished { order_id, events: self.publish_again(order_id) });
        Ok(due.filter(|one| one.events > 0).collect())
    }
}

impl LedgerFixture for InMemoryOrdering {
    type Ledger = Self;

    fn ledger(&self) -> Self {
        self.clone()
    }

    async fn add_event(&self, n: u32, version: u32) {
        match version {
            1 => drop(place(self, n, Cause::Unkeyed).await),
            _ => drop(cancel(self, n, Cause::Unkeyed).await),
        }
    }
}

impl LedgerFixture for InMemoryPharmacy {
    type Ledger = Self;

    fn ledger(&self) -> Self {
        self.clone()
    }

    async fn add_event(&self, n: u32, version: u32) {
        let events = [published_event(n, version)];
        ReceiveOrders { orders: self.clone(), now: sample::now }
            .apply_batch(&events, &[])
            .await
            .expect("applied");
    }
}

impl LedgerFixture for InMemoryNotifications {
    type Ledger = Self;

    fn ledger(&self) -> Self {
        self.clone()
    }

    async fn add_event(&self, n: u32, version: u32) {
        let inbox = RecordNotices { notifications: self.clone(), letters: true };
        inbox.apply_batch(&[published_event(n, version)], &[]).await.expect("applied");
    }
}

fn published_event(n: u32, version: u32) -> PublishedEvent {
    if version == 1 { sample::created(n) } else { sample::cancelled(n, version) }
}
