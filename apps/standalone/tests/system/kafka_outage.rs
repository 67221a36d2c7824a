use std::sync::Mutex;

use test_support::{Network, eventually};

use crate::client::Client;
use crate::external_services::ExternalServices;
use crate::instance::Instance;
use crate::sandbox::{Sandbox, Service};
use crate::topic::Topics;

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_accepted_while_kafka_and_the_registry_are_down_and_all_arrive_in_order() {
    let sandbox = Sandbox::new("kafka");
    let external = ExternalServices::start().await;
    let topics = Topics::watch(&external).await;
    let mut instance = Instance::start(external.configure(&mut sandbox.command()));
    let client = Client::new(&sandbox);

    let orders = vec![client.place("before").await];
    client.wait_until_arrived(&orders).await;

    external.kafka_down();
    let accepted = Mutex::new(orders);
    for service in [Service::OrderJobs, Service::Pharmacy, Service::Notification] {
        eventually("the service is not ready, and orders are accepted", || async {
            let order = client.place("without Kafka").await;
            accepted.lock().unwrap().push(order);
            !client.is_ready(service).await
        })
        .await;
    }
    let mut orders = accepted.into_inner().unwrap();
    assert_eq!(topics.ordering.len(), 1, "an event arrived without Kafka");
    assert!(client.is_ready(Service::OrderApi).await, "order-api needs only Postgres");

    // The relay got the ids of all schemas at its start. The consumers have not yet requested the
    // schema of a cancellation.
    external.registry.set(Network::Down);
    for order in &mut orders {
        client.cancel(order).await;
    }
    external.kafka_up();
    orders.push(client.place("without a registry").await);
    // The pharmacy cannot read the requests, and so does not answer them.
    let events = 2 * orders.len() - 1;
    eventually("the events are in the topic", async || topics.ordering.len() == events).await;
    assert_eq!(topics.pharmacy.len(), 0, "the pharmacy has answered without a registry");
    for service in [Service::Pharmacy, Service::Notification] {
        eventually("the service waits for the registry", async || !client.is_ready(service).await)
            .await;
    }
    external.registry.set(Network::Up);
    client.wait_until_arrived(&orders).await;
    topics.assert_in_order(&orders).await;
    for service in crate::sandbox::SERVICES {
        eventually("each service is ready", || client.is_ready(service)).await;
    }
    orders.push(client.place("after").await);
    client.wait_until_arrived(&orders).await;

    assert!(instance.is_alive());
    let stderr = instance.stop();
    // The relay logs the outages of Kafka and of the registry; each consumer the one of Kafka and
    // perhaps the one of the registry.
    let outages = stderr.iter().filter(|line| line.contains("cannot be reached")).count();
    assert!((3..=10).contains(&outages), "{stderr:#?}");
}
