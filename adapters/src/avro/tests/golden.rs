//! The bytes of known events, worked out by hand from the Avro specification. Records like these
//! lie in topics and outboxes; whatever changes here makes them unreadable.

use domain::ordering::{NewOrder, Occasion, Order, OrderEvent, OrderItem, OrderItems};
use domain::ordering::{ProductId, Quantity};

use super::hex;
use crate::avro::{by_fingerprint, decode, encode};

const CREATED_V1: &str = "\
    4830313839306135642d616339362d373734622d626363652d62333032303939613830353780\
    c9d8c4baeba4064830313839306135642d616339362d373734622d626363652d623330323039\
    39613830353802105a6fc3ab20e69d8e040204feffffffffffffffff01ce0f00";

const CANCELLED_V1: &str = "\
    4830313839306135642d616339362d373734622d626363652d62333032303939613830353780\
    c9d8c4baeba4064830313839306135642d616339362d373734622d626363652d623330323039\
    3961383035380436437573746f6d6572206368616e676564207468656972206d696e64";

const CREATED_V1_SCHEMA: &str = "76f6ac65af88ac618c9ad8ebc8688c2c978029e00eae99bfa4e8cee5f7fdb9fc";
const CANCELLED_V1_SCHEMA: &str =
    "346034af689ec4cbd4deca423e8f39bf956f2f0e17886513cd950b92f097d03e";

/// An order that Zoë placed and cancelled in the same microsecond.
fn history() -> [OrderEvent; 2] {
    let item = |product: i64, quantity: i64| OrderItem {
        product_id: ProductId::try_from(product).unwrap(),
        quantity: Quantity::try_from(quantity).unwrap(),
    };
    let occasion = || Occasion {
        event_id: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
        at: "2026-01-31T12:00:00.123456Z".parse().unwrap(),
    };
    let new = NewOrder {
        id: "01890a5d-ac96-774b-bcce-b302099a8058".parse().unwrap(),
        customer_name: "Zoë 李".parse().unwrap(),
        items: OrderItems::try_from(vec![item(1, 2), item(i64::MAX, 999)]).unwrap(),
    };
    let mut order = Order::place(new, occasion());
    assert!(order.cancel("Customer changed their mind".parse().unwrap(), occasion()).is_applied());
    let [created, cancelled] = order.recorded() else { panic!("two events") };
    [created.clone(), cancelled.clone()]
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

#[test]
fn known_events_have_the_bytes_they_always_had() {
    let [created, cancelled] = history().map(|event| encode(&event).unwrap());
    assert_eq!(created.event_type, "OrderCreated");
    assert_eq!(hex(&created.schema_fingerprint), CREATED_V1_SCHEMA);
    assert_eq!(hex(&created.payload), CREATED_V1);
    assert_eq!(cancelled.event_type, "OrderCancelled");
    assert_eq!(hex(&cancelled.schema_fingerprint), CANCELLED_V1_SCHEMA);
    assert_eq!(hex(&cancelled.payload), CANCELLED_V1);
}

#[test]
fn known_bytes_are_the_events_they_always_were() {
    for (event, schema, datum) in history()
        .iter()
        .zip([CREATED_V1_SCHEMA, CANCELLED_V1_SCHEMA])
        .zip([CREATED_V1, CANCELLED_V1])
        .map(|((event, schema), datum)| (event, schema, datum))
    {
        let schema = by_fingerprint(&bytes(schema)).unwrap().schema().unwrap();
        let read = decode(schema, &bytes(datum)).unwrap();
        assert_eq!(read.event_id, event.id);
        assert_eq!(read.occurred_at, event.occurred_at);
        assert_eq!(read.order_id, event.order_id);
        assert_eq!(read.order_version, event.version);
    }
}
