//! No name, note, medication or reason is in a log, a metric or Postgres' own log, at any level.

use std::time::Duration;

use std::fs;

use adapter_kafka::{Cluster, KafkaPublisher, Registry};
use application::relay::{Delivery, OutboxRecord, Publisher};
use domain::ordering::{NewOrder, Order, OrderItem, OrderItems, ProductId, Quantity};
use reqwest::Method;
use runtime::clock;
use serde_json::{Value, json};

use crate::client::{Client, Confirmed, eventually};
use crate::instance::Instance;
use crate::place::{Place, SERVICES, Service};
use crate::world::World;

/// A word that is in all personal data of this test, and nowhere else.
const MARK: &str = "Zweigelt";

#[tokio::test(flavor = "multi_thread")]
async fn no_personal_data_is_in_a_log_or_a_metric_whatever_fails() {
    let place = Place::new("personal");
    let world = World::start().await;
    let mut command = place.command();
    let instance = Instance::start(world.lend_kafka_to(&mut command).env("RUST_LOG", "trace"));
    let client = Client::of(&place);

    let order = customers_do_what_they_do(&client).await;
    customers_make_mistakes(&client, &order.id).await;
    client.all_arrive(std::slice::from_ref(&order)).await;
    sent(&client, &order).await;
    records_come_that_cannot_be_taken_in(&client, &world).await;
    world.kafka_down();
    let late = client.place(&format!("{MARK} late")).await;
    eventually("the outage is noticed", async || !client.is_ready(Service::OrderJobs).await).await;
    world.kafka_up();
    client.all_arrive(&[late]).await;

    for service in SERVICES {
        let request = client.request(Method::GET, service, "/metrics");
        let metrics = request.send().await.unwrap().text().await.unwrap();
        assert!(metrics.contains("http_requests_total"), "{metrics}");
        is_clean(metrics.lines(), "a metric");
    }
    let said = instance.ends_well();
    for level in ["TRACE", "DEBUG", "INFO"] {
        assert!(said.iter().any(|line| line.contains(level)), "nothing is logged at {level}");
    }
    is_clean(said.iter().map(String::as_str), "a log");
    let postgres = fs::read_to_string(place.home.join("postgres.log")).unwrap();
    assert!(postgres.contains("ERROR:  invalid byte sequence"), "{postgres}");
    is_clean(postgres.lines(), "the log of Postgres");
}

fn is_clean<'l>(lines: impl Iterator<Item = &'l str>, what: &str) {
    let found: Vec<&str> = lines.filter(|line| line.contains(MARK)).take(5).collect();
    assert!(found.is_empty(), "personal data are in {what}: {found:#?}");
}

fn wish() -> Value {
    json!({
        "customerName": format!("Fritz {MARK}"),
        "note": format!("for {MARK}\nand nobody else"),
        "items": [{"productId": 7, "quantity": 2, "medication": {
            "system": format!("urn:{MARK}"), "code": MARK, "display": format!("{MARK} 5 mg"),
        }}],
    })
}

async fn customers_do_what_they_do(client: &Client) -> Confirmed {
    let post = |body: Value| {
        let request = client.request(Method::POST, Service::OrderApi, "/api/orders");
        request.header("idempotency-key", format!("key-of-{MARK}")).json(&body).send()
    };
    let placed = post(wish()).await.unwrap();
    assert_eq!(placed.status(), 201);
    let placed: Value = placed.json().await.unwrap();
    let repeated: Value = post(wish()).await.unwrap().json().await.unwrap();
    assert_eq!(repeated, placed);
    let other = json!({"customerName": MARK, "items": [{"productId": 1, "quantity": 1}]});
    assert!(post(other).await.unwrap().status().is_client_error());

    let id = placed["orderId"].as_str().unwrap();
    let path = format!("/api/orders/{id}/cancel");
    let request = client.request(Method::POST, Service::OrderApi, &path);
    let reason = json!({"reason": format!("{MARK} is well again")});
    assert_eq!(request.json(&reason).send().await.unwrap().status(), 200);
    Confirmed { id: id.to_owned(), events: 2 }
}

async fn customers_make_mistakes(client: &Client, id: &str) {
    for (path, body) in [
        ("/api/orders".to_owned(), format!("{{\"customerName\": {MARK}")),
        ("/api/orders".to_owned(), format!("{{\"customerName\": {{\"{MARK}\": 1}}}}")),
        ("/api/orders".to_owned(), format!("{{\"{MARK}\": 1}}")),
        ("/api/orders".to_owned(), format!("{{\"items\": \"{MARK}\"}}")),
        ("/api/orders".to_owned(), format!("{{\"customerName\": \"{}\"}}", MARK.repeat(50))),
        ("/api/orders".to_owned(), MARK.repeat(20_000)),
        (format!("/api/orders/{id}/cancel"), format!("{{\"reason\": [\"{MARK}\"]}}")),
        (format!("/api/orders/{MARK}/cancel"), format!("{{\"reason\": \"{MARK}\"}}")),
    ] {
        let request = client.request(Method::POST, Service::OrderApi, &path);
        let request = request.header("content-type", "application/json").body(body);
        assert!(request.send().await.unwrap().status().is_client_error(), "{path}");
    }
    for (service, path) in [
        (Service::OrderApi, format!("/api/orders?status={MARK}")),
        (Service::OrderApi, format!("/api/orders?cursor={MARK}&{MARK}=1")),
        (Service::OrderApi, format!("/{MARK}")),
        (Service::OrderJobs, format!("/api/{MARK}?{MARK}")),
        (Service::Pharmacy, format!("/api/pharmacy/orders/{MARK}")),
        (Service::Notification, format!("/api/notifications?orderId={MARK}")),
    ] {
        let request = client.request(Method::GET, service, &path);
        let request = ["if-none-match", "traceparent", "x-request-id", "user-agent"]
            .into_iter()
            .fold(request, |request, header| request.header(header, MARK));
        assert!(request.send().await.unwrap().status().is_client_error(), "{path}");
    }
}

async fn sent(client: &Client, order: &Confirmed) {
    let path = format!("/api/notifications?orderId={}", order.id);
    eventually("the customer is told", async || {
        let page = client.get(Service::Notification, &path).await.unwrap();
        let items = page["items"].as_array().unwrap().clone();
        assert!(items[0]["message"].as_str().unwrap().contains(MARK), "{items:?}");
        items.iter().filter(|item| item["state"] == "sent").count() == order.events
    })
    .await;
}

/// One record cannot be read, and another can be, but Postgres does not take its content.
async fn records_come_that_cannot_be_taken_in(client: &Client, world: &World) {
    let args = world.kafka_args();
    let cluster = Cluster::new(&args).unwrap();
    let publisher = KafkaPublisher::new(
        &cluster,
        Registry::new(&args, adapter_avro::SCHEMAS).unwrap(),
        "/ordering",
    )
    .unwrap();
    let name = format!("Fritz {MARK}!");
    let readable = record(&name);
    let place = readable.payload.windows(name.len()).position(|part| part == name.as_bytes());
    let mut refused = readable.clone();
    refused.payload[place.unwrap() + name.len() - 1] = 0;
    let unreadable = OutboxRecord { payload: format!("\x14{MARK}").into_bytes(), ..readable };
    for record in [&refused, &unreadable] {
        assert_eq!(
            publisher.publish(&[record], Duration::from_secs(20)).await,
            [Delivery::Acknowledged]
        );
    }
    for group in ["pharmacy-order-group", "notification-group"] {
        eventually("both are dead letters", async || {
            client.counter("consumer_dead_letters_total", group).await >= 2
        })
        .await;
    }
}

fn record(customer_name: &str) -> OutboxRecord {
    let item = OrderItem {
        product_id: ProductId::try_from(7).unwrap(),
        quantity: Quantity::try_from(2).unwrap(),
        medication: None,
    };
    let new = NewOrder {
        id: clock::new_order_id(),
        customer_name: customer_name.parse().unwrap(),
        items: OrderItems::try_from(vec![item]).unwrap(),
        note: None,
    };
    let order = Order::place(new, clock::event_stamp());
    let event = &order.recorded()[0];
    let encoded = adapter_avro::encode(event).unwrap();
    OutboxRecord {
        lane: 0,
        position: 1,
        event_id: event.id,
        aggregate_id: event.order_id.get(),
        aggregate_version: event.version.get(),
        event_type: encoded.event_type.to_owned(),
        schema_fingerprint: encoded.schema_fingerprint.to_vec(),
        payload: encoded.payload,
        headers: Vec::new(),
        occurred_at: event.occurred_at,
    }
}
