//! What ordering tells the other contexts: the published language, as a receiver reads it.
//!
//! A receiver takes values as they were published. Whether they please its own rules is its own
//! affair, so that ordering may widen a bound without every receiver having to change first.

use domain::{EventId, OrderId, OrderVersion, Timestamp};

/// One event of an order, as it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedEvent {
    /// The event's own identity, the same on every delivery.
    pub event_id: EventId,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The order it happened to.
    pub order_id: OrderId,
    /// The order's version once it had happened.
    pub order_version: OrderVersion,
    /// What happened.
    pub payload: Payload,
}

/// What happened to the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// It was placed.
    OrderCreated {
        /// Who placed it.
        customer_name: String,
        /// What was ordered.
        items: Vec<PublishedItem>,
        /// What the customer has to say about it; told since version 2.
        note: Option<String>,
    },
    /// It was called off.
    OrderCancelled {
        /// Why.
        reason: String,
    },
}

/// So many pieces of one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedItem {
    /// The product.
    pub product_id: i64,
    /// The pieces of it.
    pub quantity: i32,
    /// Which medication is meant by it, if that was said; told since version 2.
    pub medication: Option<PublishedMedication>,
}

/// A medication in the words of a terminology.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedMedication {
    /// The terminology, by its URI.
    pub system: String,
    /// The medication's code in it.
    pub code: String,
    /// What the terminology calls it.
    pub display: Option<String>,
}

/// A record as it lies in the topic, byte by byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRecord {
    /// The topic.
    pub topic: String,
    /// The partition of it.
    pub partition: i32,
    /// The place in the partition.
    pub offset: i64,
    /// When it was made, or came into the topic, as the topic's settings say; in milliseconds since
    /// 1970. Whoever makes a record can give it any.
    pub timestamp_ms: Option<i64>,
    /// The key, if it has one.
    pub key: Option<Vec<u8>>,
    /// The value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// The headers, in their order; a name may come twice.
    pub headers: Vec<RecordHeader>,
}

/// A header of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordHeader {
    /// Its name.
    pub name: String,
    /// Its value, if it has one.
    pub value: Option<Vec<u8>>,
}

impl RawRecord {
    /// The type of its event, such as `OrderCreated`: what its first header `ce_type` says, without the
    /// namespace. It is not checked against the value.
    #[must_use]
    pub fn event_type(&self) -> Option<&str> {
        let header = self.headers.iter().find(|header| header.name == "ce_type")?;
        let name = std::str::from_utf8(header.value.as_deref()?).ok()?;
        name.rsplit('.').next()
    }

    /// The bytes of all that it carries.
    #[must_use]
    pub fn size(&self) -> usize {
        let length = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
        let headers = self.headers.iter().map(|header| header.name.len() + length(&header.value));
        length(&self.key) + length(&self.value) + headers.sum::<usize>()
    }
}

/// A record that arrived, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// The record.
    pub record: RawRecord,
    /// What it says.
    pub content: Content,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// An event.
    Event(PublishedEvent),
    /// Something of a type that this program does not know, such as an event that came after it. It
    /// concerns others.
    UnknownType(String),
    /// Nothing that can be read, though it may be an event.
    Unreadable(Unreadable),
}

/// Why a record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// A record that had no effect, kept with its bytes until somebody retries or discards it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The record.
    pub record: RawRecord,
    /// Why it had no effect, for the person who looks at it.
    pub reason: String,
}
