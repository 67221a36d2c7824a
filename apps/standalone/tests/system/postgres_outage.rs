use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::Value;
use test_support::Network;

use crate::client::Client;
use crate::instance::Instance;
use crate::place::{Place, Service};
use crate::topic::Topic;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn without_postgres_orders_are_refused_in_time_and_all_services_recover_by_themselves() {
    let place = Place::new("postgres");
    let world = World::start().await;
    let topic = Topic::watch(&world.kafka_args()).await;
    let mut instance = Instance::start(world.lend_to(&mut place.command()));
    let client = Client::of(&place);

    let mut orders = Vec::new();
    for number in 0..50 {
        let mut order = client.place(&format!("Customer {number}")).await;
        if number % 3 == 0 {
            client.cancel(&mut order).await;
        }
        orders.push(order);
    }
    // Cut while events are on their way.
    world.postgres.set(Network::Down);
    for _ in 0..3 {
        is_refused_in_time(&client).await;
    }
    client.nobody_is_ready().await;
    for (service, path) in [
        (Service::OrderApi, "/api/orders"),
        (Service::Pharmacy, "/api/pharmacy/orders"),
        (Service::OrderJobs, "/api/outbox"),
    ] {
        assert_eq!(client.status(service, path).await, Some(503), "{path}");
    }

    world.postgres.set(Network::Up);
    client.everybody_is_ready().await;
    orders.push(client.place("after").await);
    client.all_arrive(&orders).await;
    topic.tells_in_order(&orders).await;

    assert!(instance.is_alive());
    let said = instance.ends_well();
    // However often it is noticed, it is told once by each that needs it.
    let told = said.iter().filter(|line| line.contains("cannot be reached")).count();
    assert!((1..=8).contains(&told), "{said:#?}");
}

async fn is_refused_in_time(client: &Client) {
    let begin = Instant::now();
    let answer = client.post_order("during").await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "2");
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["type"], "/problems/unavailable", "{problem}");
}
