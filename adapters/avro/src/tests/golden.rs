//! The bytes of known events, derived by hand from the Avro specification.
//!
//! Topics and outboxes contain such records. A change of these bytes would make them unreadable.

use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;
use application::event_format::by_fingerprint;
use application::published::{Payload, PublishedEvent, PublishedItem};
use domain::EventStamp;
use domain::ordering::{
    MedicationCoding, NewOrder, Order, OrderCancellationRequested, OrderCancelled, OrderEvent,
    OrderFact, OrderItem, OrderItems, ProductId, Quantity, Rejection, RejectionCode,
};

use super::round_trip::published_event;
use super::{decode, hex};
use crate::catalogue::parsed;
use crate::{encode, ordering};

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

/// What the third version adds to [`CREATED_V2`].
const CUSTOMER_ID: &str = "020c632d31383135";

const CANCELLED_V1: &str = "\
    4830313839306135642d616339362d373734622d626363652d62333032303939613830353780\
    c9d8c4baeba4064830313839306135642d616339362d373734622d626363652d623330323039\
    3961383035380436437573746f6d6572206368616e676564207468656972206d696e64";

/// The fields that each event has, for the second event of the order.
const HEAD: &str = "\
    4830313839306135642d616339362d373734622d626363652d62333032303939613830353780\
    c9d8c4baeba4064830313839306135642d616339362d373734622d626363652d623330323039\
    39613830353804";

const CREATED_V1_SCHEMA: &str = "76f6ac65af88ac618c9ad8ebc8688c2c978029e00eae99bfa4e8cee5f7fdb9fc";
const CREATED_V2_SCHEMA: &str = "d95f7b7cb61dc9c671929d57ab72333b5dd9fafcbd90740b994ca654579753af";
const CREATED_V3_SCHEMA: &str = "d5aa77dc01f769e3a8085dbe0a29253eeb53d48b218c8ada309735cdb404d953";
const CANCELLED_V1_SCHEMA: &str =
    "346034af689ec4cbd4deca423e8f39bf956f2f0e17886513cd950b92f097d03e";

/// An order that Zoë placed, and that was cancelled in the same microsecond.
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
        customer_id: Some("c-1815".parse().unwrap()),
        customer_name: "Zoë 李".parse().unwrap(),
        items: OrderItems::try_from(items).unwrap(),
        note: Some("für Zoë\n薬".parse().unwrap()),
    };
    let order = Order::place(new, event_stamp());
    let [created] = order.recorded() else { panic!("one event") };
    let cancelled = OrderCancelled { reason: "Customer changed their mind".parse().unwrap() };
    [created.clone(), second(created, OrderFact::Cancelled(cancelled))]
}

/// An event in the same microsecond as the creation.
fn second(created: &OrderEvent, fact: OrderFact) -> OrderEvent {
    OrderEvent { version: created.version.next(), fact, ..created.clone() }
}

/// The creation in the newest version.
fn created_v3() -> String {
    format!("{CREATED_V2}{CUSTOMER_ID}")
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

#[test]
fn known_events_are_encoded_to_the_same_bytes_as_ever() {
    let [created, cancelled] = history().map(|event| encode(&event).unwrap());
    assert_eq!(created.event_type, "OrderCreated");
    assert_eq!(hex(&created.schema_fingerprint), CREATED_V3_SCHEMA);
    assert_eq!(hex(&created.payload), created_v3());
    assert_eq!(cancelled.event_type, "OrderCancelled");
    assert_eq!(hex(&cancelled.schema_fingerprint), CANCELLED_V1_SCHEMA);
    assert_eq!(hex(&cancelled.payload), CANCELLED_V1);
}

#[test]
fn known_bytes_are_decoded_to_the_same_events_as_ever() {
    let [created, cancelled] = history().map(|event| published_event(&event));
    assert_eq!(read(CREATED_V3_SCHEMA, &created_v3()), created);
    assert_eq!(read(CANCELLED_V1_SCHEMA, CANCELLED_V1), cancelled);
}

/// The events of which there is one version: type, hash of the schema, and the bytes after [`HEAD`].
fn only_versions() -> [(OrderFact, &'static str, &'static str, &'static str); 7] {
    let reason = "Ω".parse().unwrap();
    let rejection =
        Rejection { code: RejectionCode::OutOfStock, text: "none left".parse().unwrap() };
    [
        (
            OrderFact::Confirmed,
            "OrderConfirmed",
            "8c697d3ddb8ac307b740f7aa652066f0f752fd1f26535a005280fba5b9aabbaa",
            "",
        ),
        (
            OrderFact::Ready,
            "OrderReady",
            "83d283d2611206551c1b1ec2e53af6993bdd7bd75e98b47327630302f44ed7ff",
            "",
        ),
        (
            OrderFact::Completed,
            "OrderCompleted",
            "d47df32557c60dfb83c7483cfc48454af05465def1d7fa770fd710c6f61de205",
            "",
        ),
        (
            OrderFact::Rejected(rejection),
            "OrderRejected",
            "081f6097428881402d6c4f5558094377c6850d3857f992ece271506e11776581",
            "186f75745f6f665f73746f636b126e6f6e65206c656674",
        ),
        (
            OrderFact::CancellationRequested(OrderCancellationRequested { reason }),
            "OrderCancellationRequested",
            "8a8d3b379c5cd3e0acf77d2eb1b57d8e39d32bec279ce2db644780f1cc767cf5",
            "04cea9",
        ),
        (
            OrderFact::CancellationDeclined,
            "OrderCancellationDeclined",
            "96ee26a183edb61943bd5101166ed2df7b69c401cc280535e2104b41edfff867",
            "",
        ),
        (
            OrderFact::Redacted,
            "OrderRedacted",
            "32fdeb286d163f393bd9f5640d6cef65b5cf033cab1b9373ea63e68011ca2585",
            "",
        ),
    ]
}

#[test]
fn events_with_one_version_are_encoded_to_the_same_bytes_as_ever_and_decoded() {
    let [created, _] = history();
    for (fact, event_type, schema, rest) in only_versions() {
        let event = second(&created, fact);
        let encoded = encode(&event).unwrap();
        assert_eq!(encoded.event_type, event_type);
        assert_eq!(hex(&encoded.schema_fingerprint), schema);
        let datum = format!("{HEAD}{rest}");
        assert_eq!(hex(&encoded.payload), datum);
        assert_eq!(read(schema, &datum), published_event(&event));
        for end in 0..bytes(&datum).len() {
            let schema = parsed(by_fingerprint(ordering(), &bytes(schema)).unwrap()).unwrap();
            assert!(decode(schema, &bytes(&datum)[..end]).is_err(), "{event_type}: {end}");
        }
    }
}

#[test]
fn an_event_of_the_first_version_is_decoded_without_the_newer_fields() {
    let [created, _] = history().map(|event| published_event(&event));
    let item = |product_id, quantity| PublishedItem { product_id, quantity, medication: None };
    let payload = Payload::OrderCreated {
        customer_id: None,
        customer_name: "Zoë 李".to_owned(),
        items: vec![item(1, 2), item(i64::MAX, 999)],
        note: None,
    };
    assert_eq!(read(CREATED_V1_SCHEMA, CREATED_V1), PublishedEvent { payload, ..created });
}

#[test]
fn an_event_of_the_second_version_is_decoded_without_a_customer_id() {
    let [mut created, _] = history().map(|event| published_event(&event));
    let Payload::OrderCreated { customer_id, .. } = &mut created.payload else { panic!() };
    *customer_id = None;
    assert_eq!(read(CREATED_V2_SCHEMA, CREATED_V2), created);
}

#[test]
fn a_reader_of_the_second_version_decodes_new_events_without_the_customer_id() {
    let known =
        ["eventId", "occurredAt", "orderId", "orderVersion", "customerName", "items", "note"];
    let (names, values) = read_as(CREATED_V2_SCHEMA);
    assert_eq!(names, known);
    let note = Value::String("für Zoë\n薬".to_owned());
    assert_eq!(values[6], Value::Union(1, Box::new(note)));
}

#[test]
fn a_reader_of_the_first_version_decodes_new_events_without_the_newer_fields() {
    let (names, values) = read_as(CREATED_V1_SCHEMA);
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
        (CREATED_V3_SCHEMA, created_v3().as_str()),
        (CANCELLED_V1_SCHEMA, CANCELLED_V1),
    ] {
        let schema = parsed(by_fingerprint(ordering(), &bytes(schema)).unwrap()).unwrap();
        let datum = bytes(datum);
        for length in 0..datum.len() {
            assert!(decode(schema, &datum[..length]).is_err(), "{length} of {}", datum.len());
        }
    }
}

/// Decodes these bytes with the current schemas.
fn read(schema: &str, datum: &str) -> PublishedEvent {
    let schema = parsed(by_fingerprint(ordering(), &bytes(schema)).unwrap()).unwrap();
    decode(schema, &bytes(datum)).unwrap()
}

/// The names and values of the fields that a reader with this schema finds in the newest creation.
fn read_as(schema: &str) -> (Vec<String>, Vec<Value>) {
    let written = parsed(by_fingerprint(ordering(), &bytes(CREATED_V3_SCHEMA)).unwrap()).unwrap();
    let known = parsed(by_fingerprint(ordering(), &bytes(schema)).unwrap()).unwrap();
    let reader = GenericDatumReader::builder(written).reader_schema(known).build().unwrap();
    let datum = bytes(&created_v3());
    let mut rest = datum.as_slice();
    let Value::Record(fields) = reader.read_value(&mut rest).unwrap() else { panic!("a record") };
    assert_eq!(rest, b"", "all bytes were read");
    fields.into_iter().unzip()
}
