use std::future::Future;

use domain::{OrderId, OrderVersion};

use super::OrderRange;
use crate::StoreError;

/// What one context knows of orders: of each its latest version and the number of its events.
pub trait OrderLedger: Send + Sync {
    /// Count and hash of the entries of this range.
    ///
    /// Two ledgers with the same entries MUST give the same digest, in whatever order the entries
    /// came to be, and the digests of two ranges MUST add up to that of both. It MUST NOT hold the
    /// range in memory.
    fn digest(&self, range: OrderRange) -> impl Future<Output = Result<Digest, StoreError>> + Send;

    /// The first `limit` entries of this range, ascending by order id.
    fn page(
        &self,
        range: OrderRange,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<LedgerEntry>, StoreError>> + Send;

    /// The entries of those of these orders that it knows, in any order.
    fn find_all(
        &self,
        orders: &[OrderId],
    ) -> impl Future<Output = Result<Vec<LedgerEntry>, StoreError>> + Send;
}

/// Ordering's ledger: every order with every event it has recorded, published or not.
pub trait PublishedLedger: OrderLedger {
    /// Those of these orders that have an event which is not published: it waits, was put off, or was
    /// refused by Kafka, whatever an operator has decided about it.
    fn in_flight(
        &self,
        orders: &[OrderId],
    ) -> impl Future<Output = Result<Vec<OrderId>, StoreError>> + Send;

    /// Makes all events of these orders due again that are retained, each order's in their order.
    ///
    /// An event that Kafka refused MUST stay as it is. Orders without a retained event are left out of
    /// the answer.
    fn republish(
        &self,
        orders: &[OrderId],
    ) -> impl Future<Output = Result<Vec<Republished>, StoreError>> + Send;
}

/// What a context knows of one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The order.
    pub order_id: OrderId,
    /// Its latest version that is known.
    pub version: OrderVersion,
    /// How many of its events are known. If none is missing, this is the version.
    pub events: i64,
}

impl LedgerEntry {
    /// Whether an event before the latest one is not known.
    #[must_use]
    pub const fn has_gap(&self) -> bool {
        self.events < self.version.get()
    }

    /// Whether something is known here that `other` does not have.
    #[must_use]
    pub fn exceeds(&self, other: &Self) -> bool {
        self.version > other.version || self.events > other.events
    }
}

/// Count and hash of some entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Digest {
    /// How many orders there are.
    pub orders: u64,
    /// The exclusive or of a hash of each entry.
    pub hash: i64,
}

impl Digest {
    /// The digest of both parts, which have no order in common.
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
    /// How many of its events are due. Fewer than it has recorded if some are not retained.
    pub events: i64,
}
