use std::time::Duration;

use crate::client::Client;
use crate::instance::Instance;
use crate::place::{Place, Service};

/// How long it may take to stop.
const SOON: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_ends_soon_leaves_nothing_running_and_finds_everything_again() {
    let place = Place::new("stopping");
    let client = Client::of(&place);
    let mut orders = Vec::new();
    for signal in ["TERM", "INT"] {
        let instance = Instance::start(&mut place.command());
        for _ in 0..10 {
            orders.push(client.place("Ada").await);
        }
        instance.signal(signal);
        let (code, said) = instance.ends_within(SOON);
        assert_eq!((code, said), (Some(0), Vec::new()), "by {signal}");
        assert!(!place.has_postgres(), "Postgres outlived {signal}");
    }

    let instance = Instance::start(&mut place.command());
    for order in &orders {
        let path = format!("/api/orders/{}", order.id);
        assert_eq!(client.status(Service::OrderApi, &path).await, Some(200), "{path} is gone");
    }
    client.all_arrive(&orders).await;
    drop(instance);
    place.outlives_postgres();
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_while_it_starts_it_ends_soon_and_claims_nothing() {
    let place = Place::new("hasty");
    let (instance, ready) = Instance::begin(&mut place.command());
    // The first thing it makes.
    while !place.home.join("lock").exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    instance.signal("TERM");
    let (code, said) = instance.ends_within(Duration::from_secs(20));
    assert_eq!((code, said), (Some(0), Vec::new()));
    assert!(ready.recv().is_err(), "it said that it was ready");
    assert!(!place.has_postgres());
}
