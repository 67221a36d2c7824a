use std::future::Future;

use domain::{OrderId, OrderVersion};

use super::OrderRange;
use crate::StoreError;

/// Port to read the orders of one context, each with its latest version and number of events.
pub trait OrderLedger: Send + Sync {
    /// The count and hash of the entries in this range.
    ///
    /// Two ledgers with the same entries MUST return the same digest, in whatever sequence the
    /// entries were stored. The digests of two ranges MUST add up to the digest of both. An
    /// implementation MUST NOT load the whole range into memory.
    fn digest(&self, range: OrderRange) -> impl Future<Output = Result<Digest, StoreError>> + Send;

    /// The first `limit` entries in this range, ascending by order id.
    fn page(
        &self,
        range: OrderRange,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<LedgerEntry>, StoreError>> + Send;

    /// The entries of these orders, in any sequence. Unknown orders are left out.
    fn find_all(
        &self,
        orders: &[OrderId],
    ) -> impl Future<Output = Result<Vec<LedgerEntry>, StoreError>> + Send;
}

/// Port to the ledger of ordering: it counts every event of an order, published or not.
pub trait PublishedLedger: OrderLedger {
    /// Returns which of these orders have an unpublished event. The event may be waiting, delayed
    /// after a failure, or refused by Kafka; a refused event counts whatever an operator decided
    /// about it.
    fn in_flight(
        &self,
        orders: &[OrderId],
    ) -> impl Future<Output = Result<Vec<OrderId>, StoreError>> + Send;

    /// Makes all retained events of these orders due again. The events of one order stay in
    /// sequence.
    ///
    /// An event that Kafka refused MUST stay unchanged. The result does not contain orders without
    /// a retained event.
    fn republish(
        &self,
        orders: &[OrderId],
    ) -> impl Future<Output = Result<Vec<Republished>, StoreError>> + Send;
}

/// One order in a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The order.
    pub order_id: OrderId,
    /// The latest version that the context has.
    pub version: OrderVersion,
    /// How many events of the order the context has. Equal to the version if no event is missing.
    pub events: i64,
}

impl LedgerEntry {
    /// Whether an event before the latest one is missing.
    #[must_use]
    pub const fn has_gap(&self) -> bool {
        self.events < self.version.get()
    }

    /// Whether this entry has an event that `other` does not have.
    #[must_use]
    pub fn exceeds(&self, other: &Self) -> bool {
        self.version > other.version || self.events > other.events
    }
}

/// The count and hash of some entries, to compare them without reading them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Digest {
    /// The number of orders.
    pub orders: u64,
    /// The XOR of the hashes of all entries.
    pub hash: i64,
}

impl Digest {
    /// Combines the digests of two ranges that do not overlap.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { orders: self.orders + other.orders, hash: self.hash ^ other.hash }
    }
}

/// An order whose events are due again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Republished {
    /// The order.
    pub order_id: OrderId,
    /// How many of its events are due. Less than the number recorded if some are no longer
    /// retained.
    pub events: i64,
}
