use reqwest::StatusCode;
use serde_json::{Value, json};

use end_to_end::cluster::{Cluster, TOPIC, repository};
use end_to_end::customers::Customers;
use end_to_end::eventually::eventually;
use end_to_end::fleet::{Fleet, Size};
use end_to_end::instance::http;
use end_to_end::order::events;
use end_to_end::outsider;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn a_reader_of_the_first_version_reads_todays_events() {
    let _cluster = Cluster::alone().await;
    let fleet = Fleet::start(Size::SINGLE).await;
    let before = outsider::ends();
    let mut orders = Customers::place(fleet.counters(), 100, 9).await;
    let first = repository().join("schemas/order-created/v1.avsc");
    let records = outsider::read_as(&first, &before, events(&orders));
    fleet.stop();
    for order in &mut orders {
        order.wish = as_the_first_version_says(&order.wish);
    }
    outsider::tells_once_and_in_order(&records, &orders);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn the_pharmacy_of_today_takes_in_an_event_of_the_first_version() {
    let _cluster = Cluster::alone().await;
    let fleet = Fleet::start(Size::SINGLE).await;
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let event = json!({
        "eventId": "01890a5d-ac96-774b-bcce-b302099a8058",
        "occurredAt": "2026-01-31T12:00:00.123456+00:00",
        "orderId": id,
        "orderVersion": 1,
        "customerName": "Ada Lovelace",
        "items": [{"productId": 7, "quantity": 2}],
    });
    outsider::publish(&repository().join("schemas/order-created/v1.avsc"), id, &event);

    let path = format!("/api/pharmacy/orders/{id}");
    eventually("the pharmacy knows the order", async || {
        fleet.pharmacies[0].get(&path).await.is_some()
    })
    .await;
    let order = fleet.pharmacies[0].get(&path).await.unwrap();
    assert_eq!(outsider::asked_for(&order), outsider::asked_for(&event));
    assert_eq!(order["orderedAt"], "2026-01-31T12:00:00.123456Z");
    fleet.stop();
}

#[tokio::test]
#[ignore = "needs the cluster"]
async fn the_registry_takes_no_version_that_others_could_not_read() {
    let _cluster = Cluster::alone().await;
    let registry = std::env::var("SCHEMA_REGISTRY_URL").unwrap();
    let level: Value =
        http().get(format!("{registry}/config")).send().await.unwrap().json().await.unwrap();
    assert_eq!(level["compatibilityLevel"], "FULL_TRANSITIVE");

    let latest =
        std::fs::read_to_string(repository().join("schemas/order-created/v2.avsc")).unwrap();
    let mut schema: Value = serde_json::from_str(&latest).unwrap();
    let url = format!("{registry}/subjects/{TOPIC}-orders.OrderCreated/versions");
    let register = async |schema: &Value| {
        let body = json!({"schema": schema.to_string()});
        http().post(&url).json(&body).send().await.unwrap().status()
    };
    schema["fields"].as_array_mut().unwrap().push(json!({"name": "priority", "type": "int"}));
    assert_eq!(register(&schema).await, StatusCode::CONFLICT);
}

/// What the first version could tell of what was asked for.
fn as_the_first_version_says(wish: &Value) -> Value {
    let items = wish["items"].as_array().unwrap().iter();
    let items: Vec<_> = items
        .map(|item| json!({"productId": item["productId"], "quantity": item["quantity"]}))
        .collect();
    json!({"customerName": wish["customerName"], "items": items})
}
