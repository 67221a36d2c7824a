use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use test_support::eventually;

use crate::client::Client;
use crate::instance::Instance;
use crate::sandbox::{Sandbox, Service};

#[tokio::test(flavor = "multi_thread")]
async fn after_sigkill_no_order_is_lost_and_no_notification_is_repeated() {
    let sandbox = Sandbox::new("sigkill");
    let instance = Instance::start(&mut sandbox.command());
    let client = Client::new(&sandbox);

    // Eight clients place orders until the process is killed, and collect the confirmed orders.
    let killed = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..8)
        .map(|number| {
            let (client, killed) = (client.clone(), killed.clone());
            tokio::spawn(async move {
                let mut confirmed = Vec::new();
                while !killed.load(Ordering::Relaxed) {
                    confirmed.extend(client.try_place(&format!("Customer {number}")).await);
                }
                confirmed
            })
        })
        .collect();
    // Kill it while events are being processed: some have arrived, others have not.
    eventually("some orders are in the read model of the pharmacy", async || {
        let page = client.get(Service::Pharmacy, "/api/pharmacy/orders").await;
        page.is_some_and(|page| page["items"].as_array().is_some_and(|items| items.len() >= 20))
    })
    .await;
    instance.kill();
    killed.store(true, Ordering::Relaxed);
    let mut confirmed = Vec::new();
    for client in clients {
        confirmed.extend(client.await.unwrap());
    }
    assert!(confirmed.len() >= 20, "only {} orders were confirmed", confirmed.len());
    sandbox.wait_until_postgres_is_gone();

    let instance = Instance::start(&mut sandbox.command());
    confirmed.push(client.place("After").await);
    for order in &confirmed {
        let path = format!("/api/orders/{}", order.id);
        assert_eq!(client.status(Service::OrderApi, &path).await, Some(200), "{path} is gone");
    }
    client.wait_until_arrived(&confirmed).await;
    instance.kill();
    sandbox.wait_until_postgres_is_gone();
}
