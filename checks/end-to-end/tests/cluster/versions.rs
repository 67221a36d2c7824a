use reqwest::StatusCode;
use serde_json::{Value, json};

use end_to_end::cluster::{Cluster, TOPIC, repository};
use end_to_end::eventually::eventually;
use end_to_end::external_clients;
use end_to_end::fleet::{Fleet, Size};
use end_to_end::instance::http;
use end_to_end::order::events;
use end_to_end::order_load::OrderLoad;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn a_reader_of_the_first_version_reads_todays_events() {
    let _cluster = Cluster::lock().await;
    let fleet = Fleet::start(Size::SINGLE).await;
    let before = external_clients::end_offsets();
    let mut orders = OrderLoad::place(fleet.api_urls(), 100, 9).await;
    let first = repository().join("schemas/order-created/v1.avsc");
    let records = external_clients::read_as(&first, &before, events(&orders));
    fleet.stop();
    for order in &mut orders {
        order.body = first_version_of(&order.body);
    }
    external_clients::assert_once_and_in_order(&records, &orders);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn the_pharmacy_applies_an_event_of_the_first_version() {
    let _cluster = Cluster::lock().await;
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
    external_clients::publish(&repository().join("schemas/order-created/v1.avsc"), id, &event);

    let path = format!("/api/pharmacy/orders/{id}");
    eventually("the order is in the read model of the pharmacy", async || {
        fleet.pharmacies[0].get(&path).await.is_some()
    })
    .await;
    let order = fleet.pharmacies[0].get(&path).await.unwrap();
    assert_eq!(external_clients::order_content(&order), external_clients::order_content(&event));
    assert_eq!(order["orderedAt"], "2026-01-31T12:00:00.123456Z");
    fleet.stop();
}

#[tokio::test]
#[ignore = "needs the cluster"]
async fn the_registry_refuses_an_incompatible_version() {
    let _cluster = Cluster::lock().await;
    let registry = std::env::var("SCHEMA_REGISTRY_URL").unwrap();
    let level: Value =
        http().get(format!("{registry}/config")).send().await.unwrap().json().await.unwrap();
    assert_eq!(level["compatibilityLevel"], "FULL_TRANSITIVE");

    let latest =
        std::fs::read_to_string(repository().join("schemas/order-created/v3.avsc")).unwrap();
    let mut schema: Value = serde_json::from_str(&latest).unwrap();
    let url = format!("{registry}/subjects/{TOPIC}-orders.OrderCreated/versions");
    let register = async |schema: &Value| {
        let body = json!({"schema": schema.to_string()});
        http().post(&url).json(&body).send().await.unwrap().status()
    };
    schema["fields"].as_array_mut().unwrap().push(json!({"name": "priority", "type": "int"}));
    assert_eq!(register(&schema).await, StatusCode::CONFLICT);
}

/// The body of an order with only the members of the first version.
fn first_version_of(body: &Value) -> Value {
    let items = body["items"].as_array().unwrap().iter();
    let items: Vec<_> = items
        .map(|item| json!({"productId": item["productId"], "quantity": item["quantity"]}))
        .collect();
    json!({"customerName": body["customerName"], "items": items})
}
