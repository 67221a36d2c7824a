//! The only place that reads the time and creates ids.

use chrono::Utc;
use domain::{EventId, EventStamp, OrderId, Timestamp};
use uuid::Uuid;

/// The current time.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "the only place that may call it")]
pub fn now() -> Timestamp {
    Utc::now().into()
}

/// A new order id. UUIDs of version 7 ascend with time, so new orders are adjacent in an index.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "the only place that may call it")]
pub fn new_order_id() -> OrderId {
    OrderId::new(Uuid::now_v7())
}

/// The current time and a new event id, for a new event.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "the only place that may call it")]
pub fn event_stamp() -> EventStamp {
    EventStamp { event_id: EventId::new(Uuid::now_v7()), at: now() }
}

/// 128 random bits, for trace ids and unique names.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "the only place that may call it")]
pub fn random() -> u128 {
    Uuid::new_v4().as_u128()
}
