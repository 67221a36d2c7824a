use reqwest::{Method, StatusCode};
use serde_json::Value;
use test_support::eventually;

use crate::client::{Client, Confirmed};
use crate::instance::Instance;
use crate::sandbox::{Sandbox, Service};

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_dispensed_or_cancelled_and_a_restart_changes_none_of_them() {
    let sandbox = Sandbox::new("life");
    let instance = Instance::start(&mut sandbox.command());
    let client = Client::new(&sandbox);

    let mut dispensed = client.place("Ada").await;
    client.dispense(&mut dispensed).await;
    client.wait_until_arrived(std::slice::from_ref(&dispensed)).await;
    let too_late = client.cancellation(&dispensed).send().await.unwrap();
    assert_eq!(too_late.status(), StatusCode::CONFLICT);
    let problem: Value = too_late.json().await.unwrap();
    assert_eq!(problem["type"], "/problems/not-cancellable", "{problem}");

    let placed = client.place("Bob").await;
    let request = client.cancellation(&placed).header("prefer", "wait=5");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["preference-applied"], "wait=5");
    assert_eq!(answer.status(), StatusCode::OK, "{}", answer.text().await.unwrap());
    let orders = [dispensed, placed.cancelled()];
    client.wait_until_arrived(&orders).await;
    let before = everything(&client, &orders).await;
    instance.stop();

    // The embedded Kafka is empty after a restart, so the outboxes are published again.
    let instance = Instance::start(&mut sandbox.command());
    for (group, events) in [
        ("pharmacy-order-group", sum(&orders, |order| order.events)),
        ("notification-group", sum(&orders, |order| order.events)),
        ("ordering-group", sum(&orders, |order| order.pharmacy_events)),
    ] {
        eventually("all events were received again", async || {
            client.counter("consumer_events_repeated_total", group).await >= events as u64
        })
        .await;
        assert_eq!(client.counter("consumer_events_applied_total", group).await, 0, "{group}");
    }
    client.wait_until_arrived(&orders).await;
    assert_eq!(everything(&client, &orders).await, before);
    for (schema, events) in [
        ("schema=\"ordering\"", sum(&orders, |order| order.events)),
        ("schema=\"pharmacy\"", sum(&orders, |order| order.pharmacy_events)),
    ] {
        let published = client.counter("relay_published_total", schema).await;
        assert_eq!(published, events as u64, "{schema}");
        assert!(has_gauge(&client, "outbox_unprocessed_events", schema).await, "{schema}");
        assert!(has_gauge(&client, "relay_halted", schema).await, "{schema}");
    }
    instance.stop();
}

fn sum(orders: &[Confirmed], events: fn(&Confirmed) -> usize) -> usize {
    orders.iter().map(events).sum()
}

/// What each service shows of these orders.
async fn everything(client: &Client, orders: &[Confirmed]) -> Vec<Option<Value>> {
    let mut seen = Vec::new();
    for Confirmed { id, .. } in orders {
        for (service, path) in [
            (Service::OrderApi, format!("/api/orders/{id}")),
            (Service::Pharmacy, format!("/api/pharmacy/orders/{id}")),
        ] {
            seen.push(client.get(service, &path).await);
        }
    }
    seen
}

/// Whether the process has a gauge of this name with this label.
async fn has_gauge(client: &Client, name: &str, label: &str) -> bool {
    let request = client.request(Method::GET, Service::OrderJobs, "/metrics");
    let metrics = request.send().await.unwrap().text().await.unwrap();
    metrics.lines().any(|line| line.starts_with(name) && line.contains(label))
}
