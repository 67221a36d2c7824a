//! How events become bytes and bytes become events. One adapter knows the format; those that store
//! and carry events are given these functions, and do not know it.

use std::error::Error;

use domain::ordering::OrderEvent;

use crate::published::{Payload, PublishedEvent, Unreadable};

/// One released version of an event's schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedSchema {
    /// The event's type, such as `OrderCreated`.
    pub event_type: &'static str,
    /// The record's full name, such as `orders.OrderCreated`.
    pub fullname: &'static str,
    /// The version of the schema, from 1 on.
    pub version: u32,
    /// The text of the schema as it was released.
    pub json: &'static str,
    /// SHA-256 of that text. The outbox keeps it beside every payload.
    pub fingerprint: [u8; 32],
}

impl PublishedSchema {
    /// The subject it is registered under: topic-record-name strategy, so that one topic can
    /// carry several types of event.
    #[must_use]
    pub fn subject(&self, topic: &str) -> String {
        format!("{topic}-{}", self.fullname)
    }
}

/// An event as bytes, as the outbox keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedEvent {
    /// The event's type, such as `OrderCreated`.
    pub event_type: &'static str,
    /// Which schema the payload was written with.
    pub schema_fingerprint: [u8; 32],
    /// The bytes, without the five that name the schema on the wire.
    pub payload: Vec<u8>,
}

/// Encodes an event in the newest version of its schema.
pub type EncodeEvent<E = OrderEvent> = fn(&E) -> Result<EncodedEvent, Box<dyn Error + Send + Sync>>;

/// The schemas of the events that one context publishes, for an adapter that carries their bytes.
#[derive(Debug)]
pub struct EventSchemas<P = Payload> {
    /// Every released version, oldest first.
    pub released: fn() -> &'static [PublishedSchema],
    /// What can be done with the bytes that were written with this schema, given as its text.
    pub reader: fn(&str) -> EventReader<P>,
}

/// The schema with this SHA-256, if it is one of these.
#[must_use]
pub fn by_fingerprint(
    released: &'static [PublishedSchema],
    fingerprint: &[u8],
) -> Option<&'static PublishedSchema> {
    released.iter().find(|schema| schema.fingerprint == fingerprint)
}

impl<P> Clone for EventSchemas<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for EventSchemas<P> {}

/// Decodes the bytes of an event.
pub type DecodeEvent<P = Payload> =
    Box<dyn Fn(&[u8]) -> Result<PublishedEvent<P>, Unreadable> + Send + Sync>;

/// What can be done with bytes that were written with one schema.
pub enum EventReader<P = Payload> {
    /// They can be decoded.
    Decodes(DecodeEvent<P>),
    /// They are of a type that this program does not know.
    UnknownType(String),
    /// The schema cannot be used; why.
    Unusable(String),
}
