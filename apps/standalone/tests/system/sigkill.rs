use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use test_support::eventually;

use crate::client::Client;
use crate::instance::Instance;
use crate::place::{Place, Service};

#[tokio::test(flavor = "multi_thread")]
async fn killed_and_started_again_it_loses_no_order_and_notifies_nobody_twice() {
    let place = Place::new("sigkill");
    let instance = Instance::start(&mut place.command());
    let client = Client::of(&place);

    // Eight customers order until the power is cut; each keeps what was confirmed.
    let dead = Arc::new(AtomicBool::new(false));
    let customers: Vec<_> = (0..8)
        .map(|number| {
            let (client, dead) = (client.clone(), dead.clone());
            tokio::spawn(async move {
                let mut confirmed = Vec::new();
                while !dead.load(Ordering::Relaxed) {
                    confirmed.extend(client.try_place(&format!("Customer {number}")).await);
                }
                confirmed
            })
        })
        .collect();
    // Cut it while events are on their way: some have arrived, others have not.
    eventually("some orders arrive at the pharmacy", async || {
        let page = client.get(Service::Pharmacy, "/api/pharmacy/orders").await;
        page.is_some_and(|page| page["items"].as_array().is_some_and(|items| items.len() >= 20))
    })
    .await;
    instance.kill();
    dead.store(true, Ordering::Relaxed);
    let mut confirmed = Vec::new();
    for customer in customers {
        confirmed.extend(customer.await.unwrap());
    }
    assert!(confirmed.len() >= 20, "only {} orders were confirmed", confirmed.len());
    place.outlives_postgres();

    let instance = Instance::start(&mut place.command());
    confirmed.push(client.place("After").await);
    for order in &confirmed {
        let path = format!("/api/orders/{}", order.id);
        assert_eq!(client.status(Service::OrderApi, &path).await, Some(200), "{path} is gone");
    }
    client.all_arrive(&confirmed).await;
    instance.kill();
    place.outlives_postgres();
}
