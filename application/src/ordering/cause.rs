use domain::EventId;
use uuid::Uuid;

use super::IdempotencyKey;

/// The request or event that causes a change of an order.
///
/// A store saves the cause in the same transaction as the change. So each cause takes effect once:
/// a repeat gets the original answer and changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// A request without an idempotency key. A retry cannot be distinguished from a new request.
    Unkeyed,
    /// A request with an idempotency key, and the fingerprint of its contents.
    Request(IdempotencyKey, Fingerprint),
    /// An event of another context.
    Event(EventId),
}

/// A hash of the contents of a request. Requests with the same contents have the same fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(Uuid);

impl Fingerprint {
    /// An arbitrary constant. It makes these fingerprints different from other name-based UUIDs.
    const NAMESPACE: Uuid = Uuid::from_u128(0x6f72_6465_7273_4f52_8445_5253_0000_0001);

    /// The fingerprint of a request, given as a text with all its contents.
    #[must_use]
    pub fn of(request: &str) -> Self {
        Self(Uuid::new_v5(&Self::NAMESPACE, request.as_bytes()))
    }

    /// Restores a fingerprint that a store has saved.
    #[must_use]
    pub const fn restore(saved: Uuid) -> Self {
        Self(saved)
    }

    /// The value to save in a store.
    #[must_use]
    pub const fn get(self) -> Uuid {
        self.0
    }
}
