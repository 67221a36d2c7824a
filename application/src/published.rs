//! The published events, as other contexts receive them: [`Payload`] is what ordering publishes,
//! [`PharmacyPayload`] what the pharmacy publishes.
//!
//! Values have plain types and are not validated here. So a publisher can relax a rule, such as a
//! maximum length, before the receivers change. A receiver that has rules of its own checks them
//! itself.

use domain::{EventId, OrderId, OrderVersion, Timestamp};

/// An event about an order, as it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedEvent<P = Payload> {
    /// The id of the event, the same on every delivery.
    pub event_id: EventId,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The order.
    pub order_id: OrderId,
    /// The publisher's version of the order after the event. Each publisher counts its own events.
    pub version: OrderVersion,
    /// What happened.
    pub payload: P,
}

/// What happened to the order in ordering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// It was placed.
    OrderCreated {
        /// The id of the customer, if the client named one. Part of the schema since version 3.
        customer_id: Option<String>,
        /// Who placed it.
        customer_name: String,
        /// What was ordered.
        items: Vec<PublishedItem>,
        /// The customer's note. Part of the schema since version 2.
        note: Option<String>,
    },
    /// The pharmacy has confirmed it.
    OrderConfirmed,
    /// The customer can pick it up.
    OrderReady,
    /// The customer has it.
    OrderCompleted,
    /// The pharmacy does not dispense it.
    OrderRejected {
        /// The kind of the reason, such as `out_of_stock`. More kinds may follow.
        code: String,
        /// The reason in words.
        text: String,
    },
    /// The customer asked to cancel it.
    OrderCancellationRequested {
        /// Why.
        reason: String,
    },
    /// The pharmacy has declined to cancel it.
    OrderCancellationDeclined,
    /// It was cancelled.
    OrderCancelled {
        /// Why.
        reason: String,
    },
    /// The data of its customer were erased.
    OrderRedacted,
}

/// What happened to the order in the pharmacy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PharmacyPayload {
    /// A pharmacist has confirmed it.
    Confirmed,
    /// Its preparation has started.
    PreparationStarted,
    /// It is ready for the customer.
    Ready,
    /// It was handed to the customer.
    Dispensed,
    /// The pharmacy does not dispense it.
    Rejected {
        /// The kind of the reason, such as `out_of_stock`.
        code: String,
        /// The reason in words.
        text: String,
    },
    /// It was cancelled for the customer.
    Cancelled {
        /// The version of the order that asked for the cancellation.
        order_version: OrderVersion,
    },
    /// It could not be cancelled any more.
    CancellationDeclined {
        /// The version of the order that asked for the cancellation.
        order_version: OrderVersion,
    },
}

/// An item of an order: a product and a quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedItem {
    /// The product.
    pub product_id: i64,
    /// How many pieces are ordered.
    pub quantity: i32,
    /// The medication the customer means, if the customer named one. Part of the schema since
    /// version 2.
    pub medication: Option<PublishedMedication>,
}

/// A medication, given by its code in a terminology.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedMedication {
    /// The URI of the terminology.
    pub system: String,
    /// The medication's code in the terminology.
    pub code: String,
    /// The medication's name in the terminology.
    pub display: Option<String>,
}

/// A Kafka record, not decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRecord {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset in the partition.
    pub offset: i64,
    /// The timestamp in milliseconds since 1970: `CreateTime` or `LogAppendTime`, depending on the
    /// settings of the topic. A producer can set any `CreateTime`.
    pub timestamp_ms: Option<i64>,
    /// The key, if the record has one.
    pub key: Option<Vec<u8>>,
    /// The value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// The headers, in their sequence. A name may occur twice.
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
    /// The type of its event, such as `OrderCreated`: the value of its first header `ce_type`, without
    /// the namespace. It is not checked against the value of the record.
    #[must_use]
    pub fn event_type(&self) -> Option<&str> {
        let header = self.headers.iter().find(|header| header.name == "ce_type")?;
        let name = std::str::from_utf8(header.value.as_deref()?).ok()?;
        name.rsplit('.').next()
    }

    /// The size of the key, the value and the headers, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        let length = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
        let headers = self.headers.iter().map(|header| header.name.len() + length(&header.value));
        length(&self.key) + length(&self.value) + headers.sum::<usize>()
    }
}

/// A record that was received, and its decoded content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming<P = Payload> {
    /// The record.
    pub record: RawRecord,
    /// The decoded content.
    pub content: Content<P>,
}

/// The decoded content of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content<P = Payload> {
    /// An event.
    Event(PublishedEvent<P>),
    /// A type that this program does not know, such as a newer event type. It is not an error,
    /// because this program does not need it.
    UnknownType(String),
    /// The record cannot be decoded, although it may be an event.
    Unreadable(Unreadable),
}

/// Why a record cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// A record that could not be applied. It is stored with its bytes until an operator retries or
/// discards it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The record.
    pub record: RawRecord,
    /// Why it could not be applied, for the operator.
    pub reason: String,
}
