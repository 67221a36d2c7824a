//! The one place where time is read and ids are made.

use chrono::Utc;
use domain::ordering::EventStamp;
use domain::{EventId, OrderId, Timestamp};
use uuid::Uuid;

/// The moment it is now.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "this is the place")]
pub fn now() -> Timestamp {
    Utc::now().into()
}

/// A fresh order id. UUIDs of version 7 ascend with time, so new orders lie together in an index.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "this is the place")]
pub fn new_order_id() -> OrderId {
    OrderId::new(Uuid::now_v7())
}

/// A stamp for a new event: now, under a fresh event id.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "this is the place")]
pub fn event_stamp() -> EventStamp {
    EventStamp { event_id: EventId::new(Uuid::now_v7()), at: now() }
}

/// Sixteen random bytes, for trace ids and names that must not collide.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "this is the place")]
pub fn random() -> u128 {
    Uuid::new_v4().as_u128()
}
