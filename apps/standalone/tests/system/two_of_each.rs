use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use test_support::eventually;

use crate::client::{Client, Confirmed};
use crate::instance::Instance;
use crate::place::Place;
use crate::topic::Topic;
use crate::world::World;

/// What each instance is to have done some of.
const WORK: [(&str, &str); 3] = [
    ("relay_published_total", ""),
    ("consumer_events_applied_total", "pharmacy-order-group"),
    ("consumer_events_applied_total", "notification-group"),
];

#[tokio::test(flavor = "multi_thread")]
async fn two_of_each_share_the_work_and_nothing_is_published_twice_or_out_of_order() {
    let world = World::start().await;
    let topic = Topic::watch(&world.kafka_args()).await;
    let places = [Place::new("first"), Place::new("second")];
    let [first, second] =
        places.each_ref().map(|place| Instance::start(world.lend_to(&mut place.command())));
    let clients = places.each_ref().map(Client::of);

    let enough = Arc::new(AtomicBool::new(false));
    let customers: Vec<_> =
        (0..3).map(|_| tokio::spawn(shop(clients.clone(), enough.clone()))).collect();
    for client in &clients {
        for (counter, label) in WORK {
            let what = format!("each instance counts {counter} {label}");
            eventually(&what, async || client.counter(counter, label).await >= 20).await;
        }
    }
    enough.store(true, Ordering::Relaxed);
    let mut orders = Vec::new();
    for customer in customers {
        orders.extend(customer.await.unwrap());
    }
    clients[0].all_arrive(&orders).await;
    topic.tells_in_order(&orders).await;

    let events: usize = orders.iter().map(|order| order.events).sum();
    for (counter, label) in WORK {
        eventually(counter, async || sum(&clients, counter, label).await >= events as u64).await;
        assert_eq!(sum(&clients, counter, label).await, events as u64, "{counter} {label}");
    }

    // One of them leaves, and the other goes on alone.
    first.ends_well();
    let mut alone = clients[1].place("Alone").await;
    clients[1].cancel(&mut alone).await;
    orders.push(alone);
    clients[1].all_arrive(&orders).await;
    topic.tells_in_order(&orders).await;

    let repeated: Vec<_> = topic.times().into_iter().filter(|(_, times)| *times > 1).collect();
    assert!(repeated.is_empty(), "published more than once: {repeated:?}");
    drop(second);
}

/// Orders here, and cancels every other order there, until told to stop.
async fn shop([here, there]: [Client; 2], enough: Arc<AtomicBool>) -> Vec<Confirmed> {
    let mut orders = Vec::new();
    while !enough.load(Ordering::Relaxed) {
        orders.push(here.place("Ada").await);
        let mut order = there.place("Bob").await;
        here.cancel(&mut order).await;
        orders.push(order);
    }
    orders
}

async fn sum(clients: &[Client; 2], counter: &str, label: &str) -> u64 {
    let [first, second] = clients;
    first.counter(counter, label).await + second.counter(counter, label).await
}
