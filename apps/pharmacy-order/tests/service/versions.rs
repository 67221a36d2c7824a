//! Consumes every version of the event `OrderCreated`.

use adapter_avro::ordering;
use application::relay::OutboxRecord;
use domain::ordering::{MedicationCoding, NewOrder, Order, OrderItem, OrderItems};
use runtime::clock;
use serde_json::json;
use test_support::eventually;
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, path_of};

/// `OrderCreated` in its first version, as the first release wrote it: two pieces of product 1 and 999
/// pieces of the product with the highest id, for Zoë 李.
const FIRST_VERSION: &str = "\
    4830313839306135642d616339362d373734622d626363652d62333032303939613830353780\
    c9d8c4baeba4064830313839306135642d616339362d373734622d626363652d623330323039\
    39613830353802105a6fc3ab20e69d8e040204feffffffffffffffff01ce0f00";

/// The id of the order in this event.
const FIRST_ORDER: &str = "01890a5d-ac96-774b-bcce-b302099a8058";

#[tokio::test(flavor = "multi_thread")]
async fn orders_in_the_first_and_the_second_version_of_the_event_are_both_shown() {
    let fixture = Fixture::only_kafka_up().await;
    fixture.postgres_up().await;
    fixture.registry_up().await;
    let stop = CancellationToken::new();
    let service = tokio::spawn(pharmacy_order::run(fixture.config(), stop.clone()));

    let second = order_with_everything();
    fixture.publish_record(&first_version()).await;
    fixture.publish(&second, |_| {}).await;
    let shown = async |path: &str| {
        eventually("the order is shown", async || {
            fixture.get(path).await.is_some_and(|(status, _)| status == 200)
        })
        .await;
        fixture.get(path).await.unwrap().1
    };

    let first = shown(&path_of(FIRST_ORDER.parse().unwrap())).await;
    assert_eq!(first["customerName"], "Zoë 李");
    let items = json!([
        {"productId": 1, "quantity": 2},
        {"productId": i64::MAX, "quantity": 999},
    ]);
    assert_eq!((&first["items"], first.get("note")), (&items, None));

    let second = shown(&path_of(second.id())).await;
    let items = json!([{
        "productId": 7,
        "quantity": 2,
        "medication": {
            "system": "http://snomed.info/sct",
            "code": "387517004",
            "display": "Paracetamol",
        },
    }]);
    assert_eq!(second["items"], items);
    assert_eq!(second["note"], "by noon,\nplease");

    stop.cancel();
    service.await.unwrap().unwrap();
}

/// An outbox record of the first release.
fn first_version() -> OutboxRecord {
    let schema = ordering().iter().find(|it| it.event_type == "OrderCreated" && it.version == 1);
    let pairs = (0..FIRST_VERSION.len()).step_by(2).map(|at| &FIRST_VERSION[at..at + 2]);
    OutboxRecord {
        lane: 0,
        position: 1,
        event_id: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
        aggregate_id: FIRST_ORDER.parse().unwrap(),
        aggregate_version: 1,
        event_type: "OrderCreated".to_owned(),
        schema_fingerprint: schema.unwrap().fingerprint.to_vec(),
        payload: pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect(),
        headers: Vec::new(),
        occurred_at: "2026-01-31T12:00:00.123456Z".parse().unwrap(),
    }
}

fn order_with_everything() -> Order {
    let item = OrderItem {
        product_id: 7.try_into().unwrap(),
        quantity: 2.try_into().unwrap(),
        medication: Some(MedicationCoding {
            system: "http://snomed.info/sct".parse().unwrap(),
            code: "387517004".parse().unwrap(),
            display: Some("Paracetamol".parse().unwrap()),
        }),
    };
    let new = NewOrder {
        id: clock::new_order_id(),
        customer_id: Some("c-1815".parse().unwrap()),
        customer_name: "Ada".parse().unwrap(),
        items: OrderItems::try_from(vec![item]).unwrap(),
        note: Some("by noon,\nplease".parse().unwrap()),
    };
    Order::place(new, clock::event_stamp())
}
