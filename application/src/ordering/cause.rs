use domain::EventId;
use uuid::Uuid;

use super::IdempotencyKey;

/// What a change to an order answers.
///
/// A store claims the cause in the transaction that saves the change, so that each is answered
/// once: a repeat gets the original answer and changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// A request without a key: nobody can tell a repeat of it from a new one.
    Unkeyed,
    /// A request with a key, and what exactly was asked.
    Request(IdempotencyKey, Fingerprint),
    /// An event of another context.
    Event(EventId),
}

/// Tells whether two requests ask for the same thing: equal contents, equal fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(Uuid);

impl Fingerprint {
    /// Any constant serves: it only sets these fingerprints apart from other name-based UUIDs.
    const NAMESPACE: Uuid = Uuid::from_u128(0x6f72_6465_7273_4f52_8445_5253_0000_0001);

    /// The fingerprint of a request written out in full.
    #[must_use]
    pub fn of(request: &str) -> Self {
        Self(Uuid::new_v5(&Self::NAMESPACE, request.as_bytes()))
    }

    /// The fingerprint a store has kept.
    #[must_use]
    pub const fn restore(kept: Uuid) -> Self {
        Self(kept)
    }

    /// What a store keeps of it.
    #[must_use]
    pub const fn get(self) -> Uuid {
        self.0
    }
}
