use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use test_support::eventually;

use crate::client::{Client, Confirmed};
use crate::external_services::ExternalServices;
use crate::instance::Instance;
use crate::sandbox::Sandbox;
use crate::topic::Topics;

/// The number of an order's events that a counter counts.
type EventsOf = fn(&Confirmed) -> usize;

/// Counters that each instance must have increased.
const WORK: [(&str, &str, EventsOf); 5] = [
    ("relay_published_total", "schema=\"ordering\"", |order| order.events),
    ("relay_published_total", "schema=\"pharmacy\"", |order| order.pharmacy_events),
    ("consumer_events_applied_total", "pharmacy-order-group", |order| order.events),
    ("consumer_events_applied_total", "notification-group", |order| order.events),
    ("consumer_events_applied_total", "ordering-group", |order| order.pharmacy_events),
];

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_share_the_work_and_publish_each_event_once_and_in_order() {
    let external = ExternalServices::start().await;
    let topics = Topics::watch(&external).await;
    let sandboxes = [Sandbox::new("first"), Sandbox::new("second")];
    let [first, second] = sandboxes
        .each_ref()
        .map(|sandbox| Instance::start(external.configure(&mut sandbox.command())));
    let clients = sandboxes.each_ref().map(Client::new);

    let stop = Arc::new(AtomicBool::new(false));
    let clients_at_work: Vec<_> =
        (0..3).map(|_| tokio::spawn(place_and_cancel(clients.clone(), stop.clone()))).collect();
    for client in &clients {
        for (counter, label, _) in WORK {
            let what = format!("each instance counts {counter} {label}");
            eventually(&what, async || client.counter(counter, label).await >= 20).await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    let mut orders = Vec::new();
    for client in clients_at_work {
        orders.extend(client.await.unwrap());
    }
    clients[0].wait_until_arrived(&orders).await;
    topics.assert_in_order(&orders).await;

    for (counter, label, events) in WORK {
        let events: usize = orders.iter().map(events).sum();
        eventually(counter, async || sum(&clients, counter, label).await >= events as u64).await;
        assert_eq!(sum(&clients, counter, label).await, events as u64, "{counter} {label}");
    }

    // The first instance stops, and the second continues alone.
    first.stop();
    let mut alone = clients[1].place("Alone").await;
    clients[1].cancel(&mut alone).await;
    orders.push(alone);
    clients[1].wait_until_arrived(&orders).await;
    topics.assert_in_order(&orders).await;

    assert_eq!(topics.repeated(), Vec::<String>::new(), "published more than once");
    drop(second);
}

/// Places orders at both instances until `stop`, and cancels those of the second at the first.
async fn place_and_cancel([first, second]: [Client; 2], stop: Arc<AtomicBool>) -> Vec<Confirmed> {
    let mut orders = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        orders.push(first.place("Ada").await);
        let mut order = second.place("Bob").await;
        first.cancel(&mut order).await;
        orders.push(order);
    }
    orders
}

async fn sum(clients: &[Client; 2], counter: &str, label: &str) -> u64 {
    let [first, second] = clients;
    first.counter(counter, label).await + second.counter(counter, label).await
}
