//! No name, note, medication or reason is in a log, a metric or Postgres' own log, at any level.

use std::fs;
use std::time::Duration;

use adapter_kafka::{Cluster, KafkaPublisher, Registry};
use application::relay::{Delivery, OutboxRecord, Publisher};
use reqwest::Method;
use serde_json::{Value, json};
use test_support::{eventually, new_order, outbox_record};

use crate::client::{Client, Confirmed};
use crate::external_services::ExternalServices;
use crate::instance::Instance;
use crate::sandbox::{SERVICES, Sandbox, Service};

/// A word in all personal data of this test, and nowhere else.
const MARK: &str = "Zweigelt";

/// The customer who gets letters. An id is not personal data.
const CUSTOMER: &str = "customer-1";

#[tokio::test(flavor = "multi_thread")]
async fn no_personal_data_is_in_a_log_or_a_metric_whatever_fails() {
    let sandbox = Sandbox::new("personal");
    let external = ExternalServices::start().await;
    let mut command = sandbox.command();
    let instance = Instance::start(external.configure_kafka(&mut command).env("RUST_LOG", "trace"));
    let client = Client::new(&sandbox);

    let email = format!("{MARK}@example.org");
    client.put_contact(CUSTOMER, &email).await;
    let order = send_valid_requests(&client).await;
    send_invalid_requests(&client, &order.id).await;
    client.wait_until_arrived(std::slice::from_ref(&order)).await;
    wait_until_notified(&client, &order).await;
    let mut rejected = client.place(&format!("{MARK} rejected")).await;
    client.reject(&mut rejected, &format!("no {MARK} left")).await;
    client.wait_until_arrived(&[rejected]).await;
    publish_records_that_become_dead_letters(&client, &external).await;
    external.kafka_down();
    let late = client.place(&format!("{MARK} late")).await;
    eventually("the relay is not ready", async || !client.is_ready(Service::OrderJobs).await).await;
    external.kafka_up();
    client.wait_until_arrived(&[late]).await;

    for service in SERVICES {
        let request = client.request(Method::GET, service, "/metrics");
        let metrics = request.send().await.unwrap().text().await.unwrap();
        assert!(metrics.contains("http_requests_total"), "{metrics}");
        assert_no_personal_data(metrics.lines(), "a metric");
    }
    let log = instance.stop();
    for level in ["TRACE", "DEBUG", "INFO"] {
        assert!(log.iter().any(|line| line.contains(level)), "nothing is logged at {level}");
    }
    assert_no_personal_data(log.iter().map(String::as_str), "a log");
    let postgres = fs::read_to_string(sandbox.home.join("postgres.log")).unwrap();
    assert!(postgres.contains("ERROR:  invalid byte sequence"), "{postgres}");
    assert_no_personal_data(postgres.lines(), "the log of Postgres");
}

fn assert_no_personal_data<'l>(lines: impl Iterator<Item = &'l str>, what: &str) {
    let found: Vec<&str> = lines.filter(|line| line.contains(MARK)).take(5).collect();
    assert!(found.is_empty(), "personal data are in {what}: {found:#?}");
}

fn order_body() -> Value {
    json!({
        "customerName": format!("Fritz {MARK}"),
        "customerId": CUSTOMER,
        "note": format!("for {MARK}\nand nobody else"),
        "items": [{"productId": 7, "quantity": 2, "medication": {
            "system": format!("urn:{MARK}"), "code": MARK, "display": format!("{MARK} 5 mg"),
        }}],
    })
}

async fn send_valid_requests(client: &Client) -> Confirmed {
    let post = |body: Value| {
        let request = client.request(Method::POST, Service::OrderApi, "/api/orders");
        request.header("idempotency-key", format!("key-of-{MARK}")).json(&body).send()
    };
    let placed = post(order_body()).await.unwrap();
    assert_eq!(placed.status(), 201);
    let placed: Value = placed.json().await.unwrap();
    let repeated: Value = post(order_body()).await.unwrap().json().await.unwrap();
    assert_eq!(repeated, placed);
    let other = json!({"customerName": MARK, "items": [{"productId": 1, "quantity": 1}]});
    assert!(post(other).await.unwrap().status().is_client_error());

    let id = placed["orderId"].as_str().unwrap();
    let path = format!("/api/orders/{id}/cancel");
    let request = client.request(Method::POST, Service::OrderApi, &path);
    let reason = json!({"reason": format!("{MARK} is well again")});
    assert_eq!(request.json(&reason).send().await.unwrap().status(), 202);
    Confirmed::new(id).cancelled()
}

async fn send_invalid_requests(client: &Client, id: &str) {
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

async fn wait_until_notified(client: &Client, order: &Confirmed) {
    let path = format!("/api/notifications?orderId={}", order.id);
    eventually("the notifications are sent", async || {
        let page = client.get(Service::Notification, &path).await.unwrap();
        let items = page["items"].as_array().unwrap();
        // All events are logged. There is a letter for all except the request of the customer.
        let all = items.len() == 2 * order.events - 1;
        all && items.iter().all(|item| item["state"] == "sent")
    })
    .await;
    let letters = client.letters(&format!("{MARK}@example.org")).await;
    assert_eq!(letters.len(), order.events - 1);
    for letter in &letters {
        assert!(letter["text"].as_str().unwrap().contains(MARK), "{letter}");
    }
}

/// One record cannot be decoded. The other can, but Postgres refuses the name, which the pharmacy stores.
async fn publish_records_that_become_dead_letters(client: &Client, external: &ExternalServices) {
    let args = external.kafka_args();
    let cluster = Cluster::new(&args).unwrap();
    let publisher = KafkaPublisher::new(
        &cluster,
        Registry::new(&args).unwrap(),
        "/ordering",
        adapter_avro::ordering(),
    )
    .unwrap();
    let name = format!("Fritz {MARK}!");
    let readable = outbox_record(&new_order(&name).recorded()[0]);
    let position = readable.payload.windows(name.len()).position(|part| part == name.as_bytes());
    let mut refused = readable.clone();
    refused.payload[position.unwrap() + name.len() - 1] = 0;
    let unreadable = OutboxRecord { payload: format!("\x14{MARK}").into_bytes(), ..readable };
    for record in [&refused, &unreadable] {
        assert_eq!(
            publisher.publish(&[record], Duration::from_secs(20)).await,
            [Delivery::Acknowledged]
        );
    }
    for (group, dead) in [("pharmacy-order-group", 2), ("notification-group", 1)] {
        eventually("they are dead letters", async || {
            client.counter("consumer_dead_letters_total", group).await >= dead
        })
        .await;
    }
}
