//! The whole program killed in the middle of its work, and started again.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use support::{Instance, Place, eventually, get, place_order};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_started_again_it_loses_no_order_and_notifies_nobody_twice() {
    let place = Arc::new(Place::new("sigkill"));
    let client = reqwest::Client::new();
    let instance = Instance::start(&place);

    // Eight customers order until the power is cut; each keeps what was confirmed.
    let dead = Arc::new(AtomicBool::new(false));
    let customers: Vec<_> = (0..8)
        .map(|number| {
            let (place, client, dead) = (place.clone(), client.clone(), dead.clone());
            tokio::spawn(async move {
                let mut confirmed = Vec::new();
                while !dead.load(Ordering::Relaxed) {
                    confirmed
                        .extend(place_order(&client, &place, &format!("Customer {number}")).await);
                }
                confirmed
            })
        })
        .collect();
    // Cut it while events are on their way: some have arrived, others have not.
    eventually("some orders arrive at the pharmacy", || async {
        let page = get(&client, place.url(3, "/api/pharmacy/orders")).await?;
        (page["items"].as_array()?.len() >= 20).then_some(())
    })
    .await;
    instance.kill();
    dead.store(true, Ordering::Relaxed);
    let mut confirmed = Vec::new();
    for customer in customers {
        confirmed.extend(customer.await.expect("a customer never panics"));
    }
    assert!(confirmed.len() >= 20, "only {} orders were confirmed", confirmed.len());

    let instance = Instance::start(&place);
    confirmed.push(place_order(&client, &place, "After").await.expect("it takes orders again"));
    for id in &confirmed {
        let stored = get(&client, place.url(0, &format!("/api/orders/{id}"))).await;
        assert!(stored.is_some(), "{id} was confirmed and is gone");
        eventually("the pharmacy has the order", || {
            get(&client, place.url(3, &format!("/api/pharmacy/orders/{id}")))
        })
        .await;
        let notified = eventually("the customer is notified", || async {
            let url = place.url(4, &format!("/api/notifications?orderId={id}"));
            let notifications = get(&client, url).await?["items"].as_array()?.len();
            (notifications > 0).then_some(notifications)
        })
        .await;
        assert_eq!(notified, 1, "{id} was notified {notified} times");
    }
    drop(instance);
}
