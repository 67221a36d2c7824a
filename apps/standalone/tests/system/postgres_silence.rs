use test_support::{Network, eventually};
use tokio::task::JoinSet;

use crate::client::{Client, Confirmed};
use crate::instance::Instance;
use crate::place::Place;
use crate::topic::Topic;
use crate::world::World;

/// How many customers order at the same time.
const CUSTOMERS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_whose_host_vanishes_without_a_word_is_given_up_and_its_successor_is_used() {
    let place = Place::new("silence");
    let world = World::start().await;
    let topic = Topic::watch(&world.kafka_args()).await;
    let mut instance = Instance::start(world.lend_to(&mut place.command()));
    let client = Client::of(&place);

    let mut orders = vec![client.place("before").await];
    // While every connection has something to do, nothing passes them any more.
    let mut customers = JoinSet::new();
    for customer in 0..CUSTOMERS {
        customers.spawn(order_until_refused(client.clone(), customer));
    }
    let events = || client.counter("relay_published_total", "");
    eventually("orders are on their way", async || events().await > 100).await;
    world.postgres.set(Network::Silent);
    while let Some(confirmed) = customers.join_next().await {
        orders.extend(confirmed.unwrap());
    }
    client.nobody_is_ready().await;

    // Another server answers in its place.
    world.postgres.set(Network::Up);
    client.everybody_is_ready().await;
    for number in 0..20 {
        orders.push(client.place(&format!("after {number}")).await);
    }
    client.all_arrive(&orders).await;
    topic.tells_in_order(&orders).await;

    assert!(instance.is_alive());
    instance.ends_well();
}

/// The orders that were confirmed.
async fn order_until_refused(client: Client, customer: usize) -> Vec<Confirmed> {
    let mut orders = Vec::new();
    while let Some(order) = client.try_place(&format!("Customer {customer}")).await {
        orders.push(order);
    }
    orders
}
