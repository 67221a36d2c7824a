use super::{CancelReason, CustomerName, OrderItems, OrderNote};
use crate::{EventId, OrderId, OrderVersion, Timestamp};

/// A change of an order, recorded by the order itself.
///
/// This event is private to the ordering context. Other contexts receive the published event, which
/// one exhaustive match derives from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderEvent {
    /// The id of the event.
    pub id: EventId,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The order that changed.
    pub order_id: OrderId,
    /// The order's version after the event. Versions of one order are contiguous, starting at 1.
    pub version: OrderVersion,
    /// What happened.
    pub fact: OrderFact,
}

/// What can happen to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderFact {
    /// It was placed.
    Created(OrderCreated),
    /// It was cancelled.
    Cancelled(OrderCancelled),
}

/// An order was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderCreated {
    /// Who placed it.
    pub customer_name: CustomerName,
    /// What was ordered.
    pub items: OrderItems,
    /// The customer's note.
    pub note: Option<OrderNote>,
}

/// An order was cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderCancelled {
    /// Why.
    pub reason: CancelReason,
}
