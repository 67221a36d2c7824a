use test_support::{Network, eventually};
use tokio::task::JoinSet;

use crate::client::{Client, Confirmed};
use crate::external_services::ExternalServices;
use crate::instance::Instance;
use crate::sandbox::Sandbox;
use crate::topic::Topics;

/// Number of clients that place orders concurrently.
const CLIENTS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn when_the_host_of_postgres_stops_responding_the_services_reconnect_to_its_successor() {
    let sandbox = Sandbox::new("silence");
    let external = ExternalServices::start().await;
    let topics = Topics::watch(&external).await;
    let mut instance = Instance::start(external.configure(&mut sandbox.command()));
    let client = Client::new(&sandbox);

    let mut orders = vec![client.place("before").await];
    // Postgres stops responding while all connections are in use.
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        clients.spawn(order_until_refused(client.clone(), number));
    }
    let events = || client.counter("relay_published_total", "");
    eventually("events are published", async || events().await > 100).await;
    external.postgres.set(Network::Silent);
    while let Some(confirmed) = clients.join_next().await {
        orders.extend(confirmed.unwrap());
    }
    client.wait_until_not_ready().await;

    // Another server answers at the same address.
    external.postgres.set(Network::Up);
    client.wait_until_ready().await;
    for number in 0..20 {
        orders.push(client.place(&format!("after {number}")).await);
    }
    client.wait_until_arrived(&orders).await;
    topics.assert_in_order(&orders).await;

    assert!(instance.is_alive());
    instance.stop();
}

/// Places orders until one is refused. Returns the orders that were answered with 201.
async fn order_until_refused(client: Client, number: usize) -> Vec<Confirmed> {
    let mut orders = Vec::new();
    while let Some(order) = client.try_place(&format!("Customer {number}")).await {
        orders.push(order);
    }
    orders
}
