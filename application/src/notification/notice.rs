use domain::{CustomerId, EventId, OrderId, OrderVersion, Timestamp};

use super::EventType;
use crate::published::{Payload, PublishedEvent};

/// What notification keeps of an event, to tell customers and other systems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The event.
    pub event_id: EventId,
    /// The order.
    pub order_id: OrderId,
    /// The order's version after the event.
    pub order_version: OrderVersion,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What happened.
    pub event_type: EventType,
    /// Why the order was rejected or cancelled, in the words of a person.
    pub reason: Option<String>,
    /// Who placed the order, if the event says so and the customer has an id.
    pub customer: Option<OrderCustomer>,
}

/// The customer of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderCustomer {
    /// The id.
    pub id: CustomerId,
    /// The name on the order.
    pub name: String,
}

impl Notice {
    /// The notice of an event. A customer id that is not valid is ignored: nobody has such an id.
    #[must_use]
    pub fn of(event: &PublishedEvent) -> Self {
        let reason = match &event.payload {
            Payload::OrderRejected { text, .. } => Some(text.clone()),
            Payload::OrderCancelled { reason } => Some(reason.clone()),
            _ => None,
        };
        Self {
            event_id: event.event_id,
            order_id: event.order_id,
            order_version: event.version,
            occurred_at: event.occurred_at,
            event_type: EventType::of(&event.payload),
            reason,
            customer: customer(&event.payload),
        }
    }
}

fn customer(payload: &Payload) -> Option<OrderCustomer> {
    let Payload::OrderCreated { customer_id: Some(id), customer_name, .. } = payload else {
        return None;
    };
    Some(OrderCustomer { id: id.parse().ok()?, name: customer_name.clone() })
}
