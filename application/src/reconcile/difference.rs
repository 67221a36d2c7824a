use domain::OrderId;

use super::LedgerEntry;

/// An order of which ordering and a read model do not know the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// The order.
    pub order_id: OrderId,
    /// What ordering knows of it.
    pub published: Option<LedgerEntry>,
    /// What the read model knows of it.
    pub known: Option<LedgerEntry>,
}

/// How an order differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DifferenceKind {
    /// The read model does not know it.
    Missing,
    /// Ordering does not know it.
    Extra,
    /// They know different events of it.
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

    /// Whether the read model lacks an event that ordering has, so that publishing again helps.
    #[must_use]
    pub fn lacks_events(&self) -> bool {
        match (self.published, self.known) {
            (Some(published), Some(known)) => published.exceeds(&known),
            (Some(_), None) => true,
            (None, _) => false,
        }
    }
}
