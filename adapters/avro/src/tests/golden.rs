//! The bytes of known events, derived by hand from the Avro specification.
//!
//! Topics and outboxes contain such records. A change of these bytes would make them unreadable.

use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;
use application::published::{Payload, PublishedEvent, PublishedItem};
use domain::EventStamp;
use domain::ordering::{
    MedicationCoding, NewOrder, Order, OrderEvent, OrderItem, OrderItems, ProductId, Quantity,
};

use super::hex;
use super::round_trip::published_event;
use crate::catalogue::parsed;
use crate::{SCHEMAS, decode, encode};

const CREATED_V1: &str = "\
    4830313839306135642d616339362d373734622d626363652d62333032303939613830353780\
    c9d8c4baeba4064830313839306135642d616339362d373734622d626363652d623330323039\
    39613830353802105a6fc3ab20e69d8e040204feffffffffffffffff01ce0f00";

const CREATED_V2: &str = "\
    4830313839306135642d616339362d373734622d626363652d623330323039396138303537\
    80c9d8c4baeba4064830313839306135642d616339362d373734622d626363652d62333032\
    303939613830353802105a6fc3ab20e69d8e060204022c687474703a2f2f736e6f6d65642e\
    696e666f2f73637412333837353137303034021650617261636574616d6f6cfeffffffffff\
    ffffff01ce0f000e02022c687474703a2f2f736e6f6d65642e696e666f2f73637412333837\
    3531373030340000021a66c3bc72205a6fc3ab0ae896ac";

const CANCELLED_V1: &str = "\
    4830313839306135642d616339362d373734622d626363652d62333032303939613830353780\
    c9d8c4baeba4064830313839306135642d616339362d373734622d626363652d623330323039\
    3961383035380436437573746f6d6572206368616e676564207468656972206d696e64";

const CREATED_V1_SCHEMA: &str = "76f6ac65af88ac618c9ad8ebc8688c2c978029e00eae99bfa4e8cee5f7fdb9fc";
const CREATED_V2_SCHEMA: &str = "d95f7b7cb61dc9c671929d57ab72333b5dd9fafcbd90740b994ca654579753af";
const CANCELLED_V1_SCHEMA: &str =
    "346034af689ec4cbd4deca423e8f39bf956f2f0e17886513cd950b92f097d03e";

/// An order that Zoë placed and cancelled in the same microsecond.
fn history() -> [OrderEvent; 2] {
    let item = |product: i64, quantity: i64, medication| OrderItem {
        product_id: ProductId::try_from(product).unwrap(),
        quantity: Quantity::try_from(quantity).unwrap(),
        medication,
    };
    let paracetamol = |display: Option<&str>| MedicationCoding {
        system: "http://snomed.info/sct".parse().unwrap(),
        code: "387517004".parse().unwrap(),
        display: display.map(|display| display.parse().unwrap()),
    };
    let items = vec![
        item(1, 2, Some(paracetamol(Some("Paracetamol")))),
        item(i64::MAX, 999, None),
        item(7, 1, Some(paracetamol(None))),
    ];
    let event_stamp = || EventStamp {
        event_id: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
        at: "2026-01-31T12:00:00.123456Z".parse().unwrap(),
    };
    let new = NewOrder {
        id: "01890a5d-ac96-774b-bcce-b302099a8058".parse().unwrap(),
        customer_name: "Zoë 李".parse().unwrap(),
        items: OrderItems::try_from(items).unwrap(),
        note: Some("für Zoë\n薬".parse().unwrap()),
    };
    let mut order = Order::place(new, event_stamp());
    assert!(
        order.cancel("Customer changed their mind".parse().unwrap(), event_stamp()).is_applied()
    );
    let [created, cancelled] = order.recorded() else { panic!("two events") };
    [created.clone(), cancelled.clone()]
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

#[test]
fn known_events_are_encoded_to_the_same_bytes_as_ever() {
    let [created, cancelled] = history().map(|event| encode(&event).unwrap());
    assert_eq!(created.event_type, "OrderCreated");
    assert_eq!(hex(&created.schema_fingerprint), CREATED_V2_SCHEMA);
    assert_eq!(hex(&created.payload), CREATED_V2);
    assert_eq!(cancelled.event_type, "OrderCancelled");
    assert_eq!(hex(&cancelled.schema_fingerprint), CANCELLED_V1_SCHEMA);
    assert_eq!(hex(&cancelled.payload), CANCELLED_V1);
}

#[test]
fn known_bytes_are_decoded_to_the_same_events_as_ever() {
    let [created, cancelled] = history().map(|event| published_event(&event));
    assert_eq!(read(CREATED_V2_SCHEMA, CREATED_V2), created);
    assert_eq!(read(CANCELLED_V1_SCHEMA, CANCELLED_V1), cancelled);
}

#[test]
fn an_event_of_the_first_version_is_decoded_without_the_newer_fields() {
    let [created, _] = history().map(|event| published_event(&event));
    let item = |product_id, quantity| PublishedItem { product_id, quantity, medication: None };
    let payload = Payload::OrderCreated {
        customer_name: "Zoë 李".to_owned(),
        items: vec![item(1, 2), item(i64::MAX, 999)],
        note: None,
    };
    assert_eq!(read(CREATED_V1_SCHEMA, CREATED_V1), PublishedEvent { payload, ..created });
}

#[test]
fn a_reader_of_the_first_version_decodes_new_events_without_the_newer_fields() {
    let written = parsed(SCHEMAS.by_fingerprint(&bytes(CREATED_V2_SCHEMA)).unwrap()).unwrap();
    let known = parsed(SCHEMAS.by_fingerprint(&bytes(CREATED_V1_SCHEMA)).unwrap()).unwrap();
    let reader = GenericDatumReader::builder(written).reader_schema(known).build().unwrap();
    let datum = bytes(CREATED_V2);
    let mut rest = datum.as_slice();
    let Value::Record(fields) = reader.read_value(&mut rest).unwrap() else { panic!("a record") };
    assert_eq!(rest, b"", "all bytes were read");

    let (names, values): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
    let known = ["eventId", "occurredAt", "orderId", "orderVersion", "customerName", "items"];
    assert_eq!(names, known);
    assert_eq!(values[4], Value::String("Zoë 李".to_owned()));
    let item = |product, quantity| {
        Value::Record(vec![
            ("productId".to_owned(), Value::Long(product)),
            ("quantity".to_owned(), Value::Int(quantity)),
        ])
    };
    assert_eq!(values[5], Value::Array(vec![item(1, 2), item(i64::MAX, 999), item(7, 1)]));
}

#[test]
fn a_truncated_event_of_any_version_is_refused() {
    for (schema, datum) in [
        (CREATED_V1_SCHEMA, CREATED_V1),
        (CREATED_V2_SCHEMA, CREATED_V2),
        (CANCELLED_V1_SCHEMA, CANCELLED_V1),
    ] {
        let schema = parsed(SCHEMAS.by_fingerprint(&bytes(schema)).unwrap()).unwrap();
        let datum = bytes(datum);
        for length in 0..datum.len() {
            assert!(decode(schema, &datum[..length]).is_err(), "{length} of {}", datum.len());
        }
    }
}

/// Decodes these bytes with the current schemas.
fn read(schema: &str, datum: &str) -> PublishedEvent {
    let schema = parsed(SCHEMAS.by_fingerprint(&bytes(schema)).unwrap()).unwrap();
    decode(schema, &bytes(datum)).unwrap()
}
