use super::{CustomerName, OrderItems, OrderNote, OrderStatus};
use crate::{OrderId, OrderVersion, Timestamp};

/// The state of an order, laid open for a store to keep and for a view to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderSnapshot {
    /// Which order.
    pub id: OrderId,
    /// Who placed it.
    pub customer_name: CustomerName,
    /// What was ordered.
    pub items: OrderItems,
    /// What the customer has to say about it.
    pub note: Option<OrderNote>,
    /// Where it stands.
    pub status: OrderStatus,
    /// How many events it has recorded.
    pub version: OrderVersion,
    /// When it was placed.
    pub created_at: Timestamp,
}

/// A stored state that no history of commands leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// An order that stands has recorded its creation and nothing else.
    #[error("an order that was only created cannot be at version {0}")]
    CreatedAt(OrderVersion),
    /// A cancelled order has recorded its creation and its cancellation, which is final.
    #[error("a cancelled order cannot be at version {0}")]
    CancelledAt(OrderVersion),
}

impl OrderSnapshot {
    pub(super) fn check(&self) -> Result<(), RestoreError> {
        const CREATED: OrderVersion = OrderVersion::FIRST;
        const CANCELLED: OrderVersion = OrderVersion::FIRST.next();
        match (&self.status, self.version) {
            (OrderStatus::Created, CREATED) | (OrderStatus::Cancelled { .. }, CANCELLED) => Ok(()),
            (OrderStatus::Created, other) => Err(RestoreError::CreatedAt(other)),
            (OrderStatus::Cancelled { .. }, other) => Err(RestoreError::CancelledAt(other)),
        }
    }
}
