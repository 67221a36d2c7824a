use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::Value;
use test_support::Network;

use crate::client::Client;
use crate::external_services::ExternalServices;
use crate::instance::Instance;
use crate::sandbox::{Sandbox, Service};
use crate::topic::Topics;

#[tokio::test(flavor = "multi_thread")]
async fn while_postgres_is_down_orders_are_refused_in_time_and_then_all_services_recover() {
    let sandbox = Sandbox::new("postgres");
    let external = ExternalServices::start().await;
    let topics = Topics::watch(&external).await;
    let mut instance = Instance::start(external.configure(&mut sandbox.command()));
    let client = Client::new(&sandbox);

    let mut orders = Vec::new();
    for number in 0..50 {
        let mut order = client.place(&format!("Customer {number}")).await;
        if number % 3 == 0 {
            client.cancel(&mut order).await;
        }
        orders.push(order);
    }
    // Postgres fails while events are being processed.
    external.postgres.set(Network::Down);
    for _ in 0..3 {
        assert_refused_in_time(&client).await;
    }
    client.wait_until_not_ready().await;
    for (service, path) in [
        (Service::OrderApi, "/api/orders"),
        (Service::Pharmacy, "/api/pharmacy/orders"),
        (Service::OrderJobs, "/api/outbox"),
    ] {
        assert_eq!(client.status(service, path).await, Some(503), "{path}");
    }

    external.postgres.set(Network::Up);
    client.wait_until_ready().await;
    orders.push(client.place("after").await);
    client.wait_until_arrived(&orders).await;
    topics.assert_in_order(&orders).await;

    assert!(instance.is_alive());
    let stderr = instance.stop();
    // Each task that needs Postgres logs the outage once.
    let outages = stderr.iter().filter(|line| line.contains("cannot be reached")).count();
    assert!((1..=8).contains(&outages), "{stderr:#?}");
}

async fn assert_refused_in_time(client: &Client) {
    let begin = Instant::now();
    let answer = client.post_order("during").await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "2");
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["type"], "/problems/unavailable", "{problem}");
}
