use super::{CancelReason, CustomerName, OrderItems, OrderNote};
use crate::{EventId, OrderId, OrderVersion, Timestamp};

/// Something that happened to an order, recorded by the order itself.
///
/// This is the ordering context's own record. What other contexts are told is the published
/// language, derived from it in one exhaustive match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderEvent {
    /// The event's own identity.
    pub id: EventId,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The order it happened to.
    pub order_id: OrderId,
    /// The order's version once it had happened; versions of one order are contiguous from 1.
    pub version: OrderVersion,
    /// What happened.
    pub fact: OrderFact,
}

/// What can happen to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderFact {
    /// It was placed.
    Created(OrderCreated),
    /// It was called off.
    Cancelled(OrderCancelled),
}

/// An order was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderCreated {
    /// Who placed it.
    pub customer_name: CustomerName,
    /// What was ordered.
    pub items: OrderItems,
    /// What the customer has to say about it.
    pub note: Option<OrderNote>,
}

/// An order was called off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderCancelled {
    /// Why.
    pub reason: CancelReason,
}
