//! Sample orders, events and timestamps for tests. The same number always gives the same value.

use domain::ordering::{
    CancelReason, CustomerName, MedicationCoding, NewOrder, Order, OrderItem, OrderItems,
    ProductId, Quantity,
};
use domain::{CustomerId, EventId, EventStamp, OrderId, OrderVersion, Timestamp};
use uuid::Uuid;

use crate::ordering::{Cause, Fingerprint, IdempotencyKey};
use crate::published::{
    Content, DeadLetter, Incoming, Payload, PublishedEvent, PublishedItem, PublishedMedication,
    RawRecord, RecordHeader, Unreadable,
};

/// 2026-01-01T00:00:00Z, in microseconds.
const NEW_YEAR: i64 = 1_767_225_600_000_000;

/// The id of order `n`. A greater number is a newer order.
#[must_use]
pub fn order_id(n: u32) -> OrderId {
    OrderId::new(Uuid::from_u128(0x019b_7000_0000_7000_8000_0000_0000_0000 + u128::from(n)))
}

/// The id of the event of order `n` with this version.
#[must_use]
pub fn event_id(n: u32, version: u32) -> EventId {
    let number = u128::from(n) << 32 | u128::from(version);
    EventId::new(Uuid::from_u128(0x019b_7000_0001_7000_8000_0000_0000_0000 + number))
}

/// The time this many seconds after the beginning of 2026.
#[must_use]
pub fn at(seconds: u32) -> Timestamp {
    Timestamp::from_micros(NEW_YEAR + i64::from(seconds) * 1_000_000).expect("a timestamp in 2026")
}

/// The time of what a context does itself: later than all events of the samples.
#[must_use]
pub fn now() -> Timestamp {
    at(100_000)
}

/// The stamp of the event of order `n` with this version.
#[must_use]
pub fn event_stamp(n: u32, version: u32) -> EventStamp {
    EventStamp { event_id: event_id(n, version), at: at(n + version) }
}

/// The data of order `n`: 1 to 3 items, all but the first with a medication. Orders with an even
/// number have a note and a customer's id: orders 2, 4 and 6 one, orders 8, 10 and 12 another one, and
/// so on.
#[must_use]
pub fn new_order(n: u32) -> NewOrder {
    let items: Vec<OrderItem> = (1..=1 + i64::from(n) % 3)
        .map(|product| OrderItem {
            product_id: ProductId::try_from(product).expect("a product"),
            quantity: Quantity::try_from(product * 7).expect("a quantity"),
            medication: (product > 1).then(|| medication(product)),
        })
        .collect();
    NewOrder {
        id: order_id(n),
        customer_id: n.is_multiple_of(2).then(|| customer_id((n + 4) / 6)),
        customer_name: customer(n).parse::<CustomerName>().expect("a name"),
        items: OrderItems::try_from(items).expect("some items"),
        note: n.is_multiple_of(2).then(|| "bitte klingeln –\nund warten".parse().expect("a note")),
    }
}

/// Order `n`, just placed, with the maximum size: its event has about 50 kB.
#[must_use]
pub fn largest_order(n: u32) -> Order {
    let text = |length: usize| "é".repeat(length);
    let items: Vec<OrderItem> = (1..=100)
        .map(|product| OrderItem {
            product_id: ProductId::try_from(product).expect("a product"),
            quantity: Quantity::try_from(999).expect("a quantity"),
            medication: Some(MedicationCoding {
                system: format!("urn:{}", "x".repeat(100)).parse().expect("a code system"),
                code: "x".repeat(64).parse().expect("a code"),
                display: Some(text(170).parse().expect("a display")),
            }),
        })
        .collect();
    let new = NewOrder {
        id: order_id(n),
        customer_id: Some("x".repeat(CustomerId::MAX_CHARS).parse().expect("a customer")),
        customer_name: text(200).parse::<CustomerName>().expect("a name"),
        items: OrderItems::try_from(items).expect("some items"),
        note: Some(text(1000).parse().expect("a note")),
    };
    Order::place(new, event_stamp(n, 1))
}

/// The id of customer `n`.
#[must_use]
pub fn customer_id(n: u32) -> CustomerId {
    format!("customer-{n}").parse().expect("an id")
}

/// A medication. Those with an even code have a display name.
fn medication(code: i64) -> MedicationCoding {
    let display = "Acetylsalicylsäure 100\u{a0}mg";
    MedicationCoding {
        system: "urn:oid:1.2.276.0.76.4.6".parse().expect("a code system"),
        code: format!("PZN {code}").parse().expect("a code"),
        display: (code % 2 == 0).then(|| display.parse().expect("a display")),
    }
}

/// Order `n`, just placed.
#[must_use]
pub fn order(n: u32) -> Order {
    Order::place(new_order(n), event_stamp(n, 1))
}

/// A cancel reason.
#[must_use]
pub fn reason() -> CancelReason {
    "ordered twice – „doppelt“".parse().expect("a reason")
}

/// The cause for a request with this key and these contents.
#[must_use]
pub fn request(key: &str, contents: &str) -> Cause {
    Cause::Request(self::key(key), Fingerprint::of(contents))
}

/// An idempotency key.
#[must_use]
pub fn key(key: &str) -> IdempotencyKey {
    key.parse().expect("a key")
}

/// The published `OrderCreated` event of order `n`.
#[must_use]
pub fn created(n: u32) -> PublishedEvent {
    let NewOrder { customer_id, items, note, .. } = new_order(n);
    PublishedEvent {
        event_id: event_id(n, 1),
        occurred_at: at(n + 1),
        order_id: order_id(n),
        version: OrderVersion::FIRST,
        payload: Payload::OrderCreated {
            customer_id: customer_id.map(|id| id.to_string()),
            customer_name: customer(n),
            items: items.as_slice().iter().map(published_item).collect(),
            note: note.map(|note| note.to_string()),
        },
    }
}

fn published_item(item: &OrderItem) -> PublishedItem {
    PublishedItem {
        product_id: item.product_id.get(),
        quantity: item.quantity.get(),
        medication: item.medication.as_ref().map(|coding| PublishedMedication {
            system: coding.system.to_string(),
            code: coding.code.to_string(),
            display: coding.display.as_ref().map(ToString::to_string),
        }),
    }
}

/// The published `OrderCancelled` event of order `n`, with this version.
#[must_use]
pub fn cancelled(n: u32, version: u32) -> PublishedEvent {
    PublishedEvent {
        event_id: event_id(n, version),
        occurred_at: at(n + version),
        order_id: order_id(n),
        version: OrderVersion::try_from(i64::from(version)).expect("a version"),
        payload: Payload::OrderCancelled { reason: reason().to_string() },
    }
}

/// The published `OrderRedacted` event of order `n`, with this version.
#[must_use]
pub fn redacted(n: u32, version: u32) -> PublishedEvent {
    PublishedEvent { payload: Payload::OrderRedacted, ..cancelled(n, version) }
}

/// A received record with this event.
#[must_use]
pub fn incoming(offset: i64, published_event: &PublishedEvent) -> Incoming {
    Incoming {
        record: record(offset, Some(published_event.order_id)),
        content: Content::Event(published_event.clone()),
    }
}

/// A received record that cannot be decoded.
#[must_use]
pub fn unreadable(offset: i64) -> Incoming {
    Incoming {
        record: record(offset, None),
        content: Content::Unreadable(Unreadable("the first byte is not 0".to_owned())),
    }
}

/// A received record of an unknown type.
#[must_use]
pub fn of_unknown_type(offset: i64) -> Incoming {
    let content = Content::UnknownType("orders.OrderShipped".to_owned());
    Incoming { record: record(offset, None), content }
}

/// A Kafka record at this offset.
#[must_use]
pub fn record(offset: i64, key: Option<OrderId>) -> RawRecord {
    RawRecord {
        topic: "order-created-topic".to_owned(),
        partition: 3,
        offset,
        timestamp_ms: Some(NEW_YEAR / 1000 + offset),
        key: key.map(|id| id.to_string().into_bytes()),
        value: Some(vec![0xff, 0x00, 0xfe]),
        headers: vec![
            RecordHeader { name: "ce_type".to_owned(), value: Some(b"orders.Order".to_vec()) },
            RecordHeader { name: "bytes".to_owned(), value: Some(vec![0xff, 0x00]) },
            RecordHeader { name: "bytes".to_owned(), value: None },
        ],
    }
}

/// A consumer's dead letter: a record with the headers of the event of order `n` with `version`.
#[must_use]
pub fn dead_letter(n: u32, version: u32, reason: &str) -> DeadLetter {
    let event_type = if version == 1 { "orders.OrderCreated" } else { "orders.OrderCancelled" };
    let mut record = record(i64::from(n) * 10 + i64::from(version), Some(order_id(n)));
    record.headers[0].value = Some(event_type.as_bytes().to_vec());
    DeadLetter { record, reason: reason.to_owned() }
}

fn customer(n: u32) -> String {
    format!("Zoë Nº{n} 薬")
}
