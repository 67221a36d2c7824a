use domain::OrderId;

use super::LedgerEntry;

/// An order that is not the same in ordering and in a read model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// The order.
    pub order_id: OrderId,
    /// The entry in the ledger of ordering.
    pub published: Option<LedgerEntry>,
    /// The entry in the ledger of the read model.
    pub known: Option<LedgerEntry>,
}

/// How an order differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DifferenceKind {
    /// Only ordering has the order.
    Missing,
    /// Only the read model has the order.
    Extra,
    /// Both have the order, with different events.
    Differing,
}

impl Difference {
    /// How the order differs.
    #[must_use]
    pub const fn kind(&self) -> DifferenceKind {
        match (self.published, self.known) {
            (_, None) => DifferenceKind::Missing,
            (None, Some(_)) => DifferenceKind::Extra,
            (Some(_), Some(_)) => DifferenceKind::Differing,
        }
    }

    /// Whether the read model lacks an event that ordering has. Publishing it again repairs this.
    #[must_use]
    pub fn lacks_events(&self) -> bool {
        match (self.published, self.known) {
            (Some(published), Some(known)) => published.exceeds(&known),
            (Some(_), None) => true,
            (None, _) => false,
        }
    }
}
