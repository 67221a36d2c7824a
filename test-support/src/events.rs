use application::published::{
    Content, Incoming, Payload, PublishedEvent, PublishedItem, RawRecord, RecordHeader, Unreadable,
};
use domain::{OrderId, OrderVersion};
use runtime::clock;

/// The event that an order was placed: two pieces of product 7, one piece of product 9.
#[must_use]
pub fn created(order_id: OrderId, customer_name: &str) -> PublishedEvent {
    let items = vec![
        PublishedItem { product_id: 7, quantity: 2, medication: None },
        PublishedItem { product_id: 9, quantity: 1, medication: None },
    ];
    let customer_name = customer_name.to_owned();
    let payload = Payload::OrderCreated { customer_id: None, customer_name, items, note: None };
    published_event(order_id, 1, payload)
}

/// The event that the order was cancelled, as its second event.
#[must_use]
pub fn cancelled(order_id: OrderId, reason: &str) -> PublishedEvent {
    published_event(order_id, 2, Payload::OrderCancelled { reason: reason.to_owned() })
}

/// An event of an order, with a new id.
#[must_use]
pub fn published_event(order_id: OrderId, version: i64, payload: Payload) -> PublishedEvent {
    let event_stamp = clock::event_stamp();
    PublishedEvent {
        event_id: event_stamp.event_id,
        occurred_at: event_stamp.at,
        order_id,
        version: OrderVersion::try_from(version).unwrap(),
        payload,
    }
}

/// A record of the topic.
fn record(offset: i64, value: Option<&[u8]>) -> RawRecord {
    RawRecord {
        topic: "order-created-topic".to_owned(),
        partition: 3,
        offset,
        // A foreign client may send any number.
        timestamp_ms: Some(if offset % 2 == 0 { i64::MAX } else { 1_767_225_600_123 }),
        key: Some(b"key".to_vec()),
        value: value.map(<[u8]>::to_vec),
        headers: [
            ("ce_type", Some(&b"orders.OrderCreated"[..])),
            ("bytes", Some(b"\xff\x00\x1b[2J")),
            ("zero", Some(b"a\0b")),
            ("empty", Some(b"")),
            ("", None),
            ("ce_type", Some(b"again")),
        ]
        .map(|(name, value)| RecordHeader {
            name: name.to_owned(),
            value: value.map(<[u8]>::to_vec),
        })
        .to_vec(),
    }
}

/// The event, received at this offset.
#[must_use]
pub fn readable(offset: i64, published_event: PublishedEvent) -> Incoming {
    Incoming { record: record(offset, Some(b"bytes")), content: Content::Event(published_event) }
}

/// A record that cannot be decoded.
#[must_use]
pub fn unreadable(offset: i64, value: Option<&[u8]>) -> Incoming {
    let why = Unreadable("magic byte \0 is missing".to_owned());
    Incoming { record: record(offset, value), content: Content::Unreadable(why) }
}
