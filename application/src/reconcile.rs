//! Reconciliation: compares what ordering has published with what a read model knows.
//!
//! Each context keeps its own ledger of orders: [`OrderLedger`]. [`reconcile`] compares two of them by
//! hashes of a day, then of an hour, then of a minute, and order by order only where these differ.
//! [`repair`] publishes again what a read model lacks.
//!
//! # Why an order that changes meanwhile is no difference
//! The two ledgers cannot be read at one moment: events travel from one to the other. So each order
//! that looks different is looked at twice.
//!
//! - What ordering had published at the first look must be in the read model at the second, a grace
//!   time later. An order that had an event to be published at either look is left out.
//! - What the read model knows at the second look must be known to ordering, which is asked *after* it:
//!   ordering commits an event before anybody can publish or consume it.

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

/// The two ledgers that are compared.
#[derive(Debug)]
pub struct LedgerPair<'a, P, R> {
    /// Ordering's.
    pub published: &'a P,
    /// The read model's.
    pub read_model: &'a R,
}

/// What was compared, and how it came out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Orders that ordering has.
    pub published: u64,
    /// Orders that the read model has.
    pub known: u64,
    /// Orders that the read model does not have.
    pub missing: u64,
    /// Orders that the read model has and ordering does not.
    pub extra: u64,
    /// Orders of which the two know different events.
    pub differing: u64,
    /// Orders that look different but have an event that is not published, so that they say nothing.
    pub in_flight: u64,
}

impl Summary {
    /// How many orders are different.
    #[must_use]
    pub const fn differences(&self) -> u64 {
        self.missing + self.extra + self.differing
    }
}

/// Why a comparison or a repair was not carried out to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// Ordering's store failed.
    #[error("the orders or the outbox cannot be read")]
    Ordering(#[source] StoreError),
    /// The read model's store failed.
    #[error("the read model cannot be read")]
    ReadModel(#[source] StoreError),
}

/// Compares the orders in `range`, and hands each group of differences to `found`, ascending by id.
///
/// Memory is bounded whatever the number of orders and of differences. `wait` pauses for the given
/// time: it is called before a second look, with `grace`.
///
/// # Errors
/// When a store fails, or `found` does.
pub async fn reconcile<P: PublishedLedger, R: OrderLedger>(
    sides: &LedgerPair<'_, P, R>,
    range: OrderRange,
    grace: Duration,
    wait: impl AsyncFn(Duration),
    found: impl AsyncFnMut(&[Difference]) -> Result<(), ReconcileError>,
) -> Result<Summary, ReconcileError> {
    Search::new(sides, grace, wait, found).run(range).await
}
