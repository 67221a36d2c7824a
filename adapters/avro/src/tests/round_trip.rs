use apache_avro::Schema;
use apache_avro::types::Value;
use apache_avro::writer::datum::GenericDatumWriter;
use application::event_format::by_fingerprint;
use application::published::{Payload, PublishedEvent, PublishedItem, PublishedMedication};
use domain::ordering::{
    CancelReason, Code, CodeSystem, CustomerName, MedicationCoding, OrderCancellationRequested,
    OrderCancelled, OrderCreated, OrderEvent, OrderFact, OrderItem, OrderItems, ProductId,
    Quantity, Rejection, RejectionCode,
};
use domain::{EventId, OrderId, OrderVersion, Timestamp};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

use super::decode;
use crate::catalogue::parsed;
use crate::{encode, latest, ordering};

pub(super) fn event() -> impl Strategy<Value = OrderEvent> {
    let fact = prop_oneof![
        created().prop_map(OrderFact::Created),
        reason().prop_map(|reason| OrderFact::Cancelled(OrderCancelled { reason })),
        reason().prop_map(|reason| {
            OrderFact::CancellationRequested(OrderCancellationRequested { reason })
        }),
        rejection().prop_map(OrderFact::Rejected),
        select(vec![
            OrderFact::Confirmed,
            OrderFact::Ready,
            OrderFact::Completed,
            OrderFact::CancellationDeclined,
            OrderFact::Redacted,
        ]),
    ];
    let at = -8_000_000_000_000_000_i64..8_000_000_000_000_000;
    (any::<u128>(), at, any::<u128>(), 1..=i64::MAX, fact).prop_map(
        |(event_id, at, order_id, version, fact)| OrderEvent {
            id: EventId::new(Uuid::from_u128(event_id)),
            occurred_at: Timestamp::from_micros(at).unwrap(),
            order_id: OrderId::new(Uuid::from_u128(order_id)),
            version: OrderVersion::try_from(version).unwrap(),
            fact,
        },
    )
}

fn created() -> impl Strategy<Value = OrderCreated> {
    let customer_id = option::of("[A-Za-z0-9._-]{1,64}");
    (customer_id, text(), items(), option::of(text())).prop_map(
        |(customer_id, name, items, note)| OrderCreated {
            customer_id: customer_id.map(|id| id.parse().unwrap()),
            customer_name: name.parse::<CustomerName>().unwrap(),
            items,
            note: note.map(|note| note.parse().unwrap()),
        },
    )
}

/// A text that is not blank: many characters show as nothing, and the first one never does.
fn text() -> impl Strategy<Value = String> {
    r"[!-~][^\p{C}\s]{0,49}"
}

fn reason() -> impl Strategy<Value = CancelReason> {
    text().prop_map(|reason| reason.parse().unwrap())
}

fn rejection() -> impl Strategy<Value = Rejection> {
    (select(RejectionCode::ALL.to_vec()), text())
        .prop_map(|(code, text)| Rejection { code, text: text.parse().unwrap() })
}

fn items() -> impl Strategy<Value = OrderItems> {
    vec((1..=i64::MAX, 1..=999_i64, option::of(medication())), 1..=100).prop_map(|mut items| {
        items.sort_unstable_by_key(|(product, ..)| *product);
        items.dedup_by_key(|(product, ..)| *product);
        let items = items.into_iter().map(|(product, quantity, medication)| OrderItem {
            product_id: ProductId::try_from(product).unwrap(),
            quantity: Quantity::try_from(quantity).unwrap(),
            medication,
        });
        OrderItems::try_from(items.collect::<Vec<_>>()).unwrap()
    })
}

fn medication() -> impl Strategy<Value = MedicationCoding> {
    ("urn:[a-z0-9:]{1,9}", "[!-~]{1,9}", option::of("[a-z薬]{1,9}")).prop_map(
        |(system, code, display)| MedicationCoding {
            system: system.parse::<CodeSystem>().unwrap(),
            code: code.parse::<Code>().unwrap(),
            display: display.map(|display| display.parse().unwrap()),
        },
    )
}

/// The published event that a receiver should decode.
pub(super) fn published_event(event: &OrderEvent) -> PublishedEvent {
    PublishedEvent {
        event_id: event.id,
        occurred_at: event.occurred_at,
        order_id: event.order_id,
        version: event.version,
        payload: match &event.fact {
            OrderFact::Created(created) => Payload::OrderCreated {
                customer_id: created.customer_id.as_ref().map(ToString::to_string),
                customer_name: created.customer_name.as_str().to_owned(),
                items: (created.items.as_slice().iter())
                    .map(|item| PublishedItem {
                        product_id: item.product_id.get(),
                        quantity: item.quantity.get(),
                        medication: item.medication.as_ref().map(|coding| PublishedMedication {
                            system: coding.system.to_string(),
                            code: coding.code.to_string(),
                            display: coding.display.as_ref().map(ToString::to_string),
                        }),
                    })
                    .collect(),
                note: created.note.as_ref().map(ToString::to_string),
            },
            OrderFact::Confirmed => Payload::OrderConfirmed,
            OrderFact::Ready => Payload::OrderReady,
            OrderFact::Completed => Payload::OrderCompleted,
            OrderFact::Rejected(Rejection { code, text }) => Payload::OrderRejected {
                code: code.as_str().to_owned(),
                text: text.as_str().to_owned(),
            },
            OrderFact::CancellationRequested(requested) => {
                Payload::OrderCancellationRequested { reason: requested.reason.as_str().to_owned() }
            }
            OrderFact::CancellationDeclined => Payload::OrderCancellationDeclined,
            OrderFact::Cancelled(cancelled) => {
                Payload::OrderCancelled { reason: cancelled.reason.as_str().to_owned() }
            }
            OrderFact::Redacted => Payload::OrderRedacted,
        },
    }
}

fn schemas() -> impl Strategy<Value = &'static Schema> {
    let names: Vec<_> = ordering().iter().map(|schema| schema.fullname).collect();
    select(names).prop_map(|name| parsed(latest(name).unwrap()).unwrap())
}

proptest! {
    #[test]
    fn an_encoded_event_is_decoded_unchanged(event in event()) {
        let encoded = encode(&event).unwrap();
        let schema = by_fingerprint(ordering(), &encoded.schema_fingerprint).unwrap();
        prop_assert_eq!(schema.event_type, encoded.event_type);
        let read = decode(parsed(schema).unwrap(), &encoded.payload).unwrap();
        prop_assert_eq!(read, published_event(&event));
    }

    #[test]
    fn a_truncated_event_is_refused(event in event(), at in any::<prop::sample::Index>()) {
        let encoded = encode(&event).unwrap();
        let schema = parsed(by_fingerprint(ordering(), &encoded.schema_fingerprint).unwrap()).unwrap();
        let cut = at.index(encoded.payload.len());
        prop_assert!(decode(schema, &encoded.payload[..cut]).is_err());
    }

    #[test]
    fn an_event_with_more_bytes_after_it_is_refused(event in event(), more in vec(any::<u8>(), 1..9)) {
        let encoded = encode(&event).unwrap();
        let schema = parsed(by_fingerprint(ordering(), &encoded.schema_fingerprint).unwrap()).unwrap();
        let longer = [encoded.payload, more].concat();
        prop_assert!(decode(schema, &longer).is_err());
    }

    #[test]
    fn damaged_bytes_never_panic(
        event in event(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut encoded = encode(&event).unwrap();
        let schema = parsed(by_fingerprint(ordering(), &encoded.schema_fingerprint).unwrap()).unwrap();
        let at = at.index(encoded.payload.len());
        encoded.payload[at] = byte;
        let _ = decode(schema, &encoded.payload);
    }

    #[test]
    fn any_bytes_never_panic(schema in schemas(), bytes in vec(any::<u8>(), 0..200)) {
        let _ = decode(schema, &bytes);
    }
}

/// A later version of `OrderCancelled`, which another program may use already.
fn later_schema() -> Schema {
    let json = latest("orders.OrderCancelled").unwrap().json.replace(
        r#""doc": "Why it was called off.""#,
        r#""doc": "Why it was called off." },
           { "name": "by", "type": ["null", "string"], "default": null"#,
    );
    Schema::parse_str(&json).unwrap()
}

#[test]
fn an_event_of_a_newer_writer_is_decoded_without_the_newer_fields() {
    let fields = [
        ("eventId", Value::Uuid(Uuid::from_u128(1))),
        ("occurredAt", Value::TimestampMicros(2)),
        ("orderId", Value::Uuid(Uuid::from_u128(3))),
        ("orderVersion", Value::Long(4)),
        ("reason", Value::String("too late".to_owned())),
        ("by", Value::Union(1, Box::new(Value::String("clerk".to_owned())))),
    ];
    let record = Value::Record(fields.map(|(name, value)| (name.to_owned(), value)).to_vec());
    let schema = later_schema();
    let writer = GenericDatumWriter::builder(&schema).build().unwrap();
    let read = decode(&schema, &writer.write_value_to_vec(record).unwrap()).unwrap();
    assert_eq!(read.version.get(), 4);
    assert_eq!(read.payload, Payload::OrderCancelled { reason: "too late".to_owned() });
}

#[test]
fn a_record_of_another_type_is_reported_with_its_name() {
    let schema = Schema::parse_str(r#"{"type":"record","name":"shop.Invoice","fields":[]}"#);
    let error = decode(&schema.unwrap(), b"").unwrap_err();
    assert_eq!(error.to_string(), "shop.Invoice is not a known event type");
}

#[test]
fn an_invalid_order_version_is_reported_with_its_field() {
    let schema = parsed(latest("orders.OrderCancelled").unwrap()).unwrap();
    let fields = [
        ("eventId", Value::Uuid(Uuid::from_u128(1))),
        ("occurredAt", Value::TimestampMicros(2)),
        ("orderId", Value::Uuid(Uuid::from_u128(3))),
        ("orderVersion", Value::Long(0)),
        ("reason", Value::String("none".to_owned())),
    ];
    let record = Value::Record(fields.map(|(name, value)| (name.to_owned(), value)).to_vec());
    let writer = GenericDatumWriter::builder(schema).build().unwrap();
    let error = decode(schema, &writer.write_value_to_vec(record).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "the field orderVersion is missing or has an invalid value");
}

/// In each writer's schema `reason` is not a string. The messages of the Avro library contain its
/// value.
#[test]
fn errors_contain_no_values_of_an_event() {
    let text = || Value::String("Zoë".to_owned());
    for (reason, value) in [
        (r#"{"type": "map", "values": "string"}"#, Value::Map([("who".to_owned(), text())].into())),
        (r#"{"type": "array", "items": "string"}"#, Value::Array(vec![text()])),
        (
            r#"["int", {"type": "array", "items": "string"}]"#,
            Value::Union(1, Box::new(Value::Array(vec![text()]))),
        ),
        (
            r#"{"type": "record", "name": "Who", "fields": [{"name": "name", "type": "string"}]}"#,
            Value::Record(vec![("name".to_owned(), text())]),
        ),
    ] {
        let mut json: serde_json::Value =
            serde_json::from_str(latest("orders.OrderCancelled").unwrap().json).unwrap();
        let field = json["fields"].as_array_mut().unwrap().last_mut().unwrap();
        assert_eq!(field["name"], "reason");
        field["type"] = serde_json::from_str(reason).unwrap();
        let schema = Schema::parse(&json).unwrap();
        let fields = [
            ("eventId", Value::Uuid(Uuid::from_u128(1))),
            ("occurredAt", Value::TimestampMicros(2)),
            ("orderId", Value::Uuid(Uuid::from_u128(3))),
            ("orderVersion", Value::Long(4)),
            ("reason", value),
        ];
        let record = Value::Record(fields.map(|(name, value)| (name.to_owned(), value)).to_vec());
        let writer = GenericDatumWriter::builder(&schema).build().unwrap();
        let error = decode(&schema, &writer.write_value_to_vec(record).unwrap()).unwrap_err();
        let text = application::one_line(&error);
        assert!(text.starts_with("the bytes are not a valid orders.OrderCancelled: "), "{text}");
        assert!(!text.contains("Zo") && !format!("{error:?}").contains("Zo"), "{text} {error:?}");
    }
}
