//! Reconciliation: compares the events that ordering has published with those a read model has
//! applied.
//!
//! Each context has a ledger of its orders: [`OrderLedger`]. [`reconcile`] compares two ledgers by
//! hashes of days, then of hours, then of minutes. It compares single orders only where the hashes
//! differ. [`repair`] publishes the events again that a read model lacks.
//!
//! # Orders that change during the comparison
//! The two ledgers cannot be read at the same instant, because events are always on their way from
//! ordering to the read model. So an order that looks different is checked twice. It is reported as
//! a difference in two cases:
//!
//! - At the second check the read model lacks an event that ordering had published at the first
//!   check, a grace time earlier. This case skips orders with an unpublished event at either check.
//! - At the second check the read model has an event that ordering does not have. For this check,
//!   ordering is read *after* the read model: it has every event before the read model can have it.

mod difference;
mod ledger;
mod order_range;
mod pages;
mod repair;
mod search;

use std::time::Duration;

pub use difference::{Difference, DifferenceKind};
pub use ledger::{Digest, LedgerEntry, OrderLedger, PublishedLedger, Republished};
pub use order_range::OrderRange;
pub use repair::{RepairOutcome, repair};

use crate::StoreError;
use search::Search;

/// The two ledgers to compare.
#[derive(Debug)]
pub struct LedgerPair<'a, P, R> {
    /// The ledger of ordering.
    pub published: &'a P,
    /// The ledger of the read model.
    pub read_model: &'a R,
}

/// The result of a comparison, as numbers of orders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Orders in the ledger of ordering.
    pub published: u64,
    /// Orders in the ledger of the read model.
    pub known: u64,
    /// Orders that are only in ordering.
    pub missing: u64,
    /// Orders that are only in the read model.
    pub extra: u64,
    /// Orders that both have, with different events.
    pub differing: u64,
    /// Orders that look different but have an unpublished event, so they cannot be compared yet.
    pub in_flight: u64,
}

impl Summary {
    /// The number of orders that differ.
    #[must_use]
    pub const fn differences(&self) -> u64 {
        self.missing + self.extra + self.differing
    }
}

/// Why a comparison or a repair was not completed.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// Ordering's store failed.
    #[error("the orders or the outbox cannot be read")]
    Ordering(#[source] StoreError),
    /// The read model's store failed.
    #[error("the read model cannot be read")]
    ReadModel(#[source] StoreError),
}

/// Compares the orders in `range`. Calls `found` with groups of differences, ascending by order id.
///
/// Memory use is bounded and does not depend on the number of orders or differences. `wait` is
/// called with `grace` before the second check of orders that look different.
///
/// # Errors
/// When a store fails, or when `found` returns an error.
pub async fn reconcile<P: PublishedLedger, R: OrderLedger>(
    ledgers: &LedgerPair<'_, P, R>,
    range: OrderRange,
    grace: Duration,
    wait: impl AsyncFn(Duration),
    found: impl AsyncFnMut(&[Difference]) -> Result<(), ReconcileError>,
) -> Result<Summary, ReconcileError> {
    Search::new(ledgers, grace, wait, found).run(range).await
}
