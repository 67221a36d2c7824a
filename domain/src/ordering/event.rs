use super::{CancelReason, CustomerName, OrderItems, OrderNote, Rejection};
use crate::{CustomerId, EventId, OrderId, OrderVersion, Timestamp};

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

/// What can happen to an order, each at most once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderFact {
    /// It was placed.
    Created(OrderCreated),
    /// The pharmacy has confirmed it.
    Confirmed,
    /// The customer can pick it up.
    Ready,
    /// The customer has it.
    Completed,
    /// The pharmacy does not dispense it.
    Rejected(Rejection),
    /// The customer asked to cancel it.
    CancellationRequested(OrderCancellationRequested),
    /// The pharmacy has declined to cancel it.
    CancellationDeclined,
    /// It was cancelled. Earlier versions recorded this at once, without a request before it.
    Cancelled(OrderCancelled),
    /// The data of its customer were erased. It has none of the texts of people any more.
    Redacted,
}

/// An order was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderCreated {
    /// The customer who placed it, if the client named one.
    pub customer_id: Option<CustomerId>,
    /// Who placed it.
    pub customer_name: CustomerName,
    /// What was ordered.
    pub items: OrderItems,
    /// The customer's note.
    pub note: Option<OrderNote>,
}

/// The customer asked to cancel an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderCancellationRequested {
    /// Why.
    pub reason: CancelReason,
}

/// An order was cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderCancelled {
    /// Why.
    pub reason: CancelReason,
}
