use super::{CustomerName, OrderItems, OrderNote, OrderStatus};
use crate::{OrderId, OrderVersion, Timestamp};

/// The state of an order, for stores and read models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderSnapshot {
    /// The id of the order.
    pub id: OrderId,
    /// Who placed it.
    pub customer_name: CustomerName,
    /// What was ordered.
    pub items: OrderItems,
    /// The customer's note.
    pub note: Option<OrderNote>,
    /// The status of the order.
    pub status: OrderStatus,
    /// The number of events it has recorded.
    pub version: OrderVersion,
    /// When it was placed.
    pub created_at: Timestamp,
}

/// Why a stored state is invalid: no sequence of commands leads to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// An order that is not cancelled has exactly one event, its creation.
    #[error("an order with status created must be at version 1, not {0}")]
    CreatedAt(OrderVersion),
    /// A cancelled order has exactly two events, its creation and its cancellation.
    #[error("an order with status cancelled must be at version 2, not {0}")]
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
