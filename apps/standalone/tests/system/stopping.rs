use std::time::Duration;

use crate::client::Client;
use crate::instance::Instance;
use crate::sandbox::{Sandbox, Service};

/// Time for the program to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_in_time_leaves_no_process_running_and_keeps_its_data() {
    let sandbox = Sandbox::new("stopping");
    let client = Client::new(&sandbox);
    let mut orders = Vec::new();
    for signal in ["TERM", "INT"] {
        let instance = Instance::start(&mut sandbox.command());
        for _ in 0..10 {
            orders.push(client.place("Ada").await);
        }
        instance.signal(signal);
        let (code, stderr) = instance.wait_for_exit(STOP_TIMEOUT);
        assert_eq!((code, stderr), (Some(0), Vec::new()), "by {signal}");
        assert!(!sandbox.is_postgres_running(), "Postgres is still running after {signal}");
    }

    let instance = Instance::start(&mut sandbox.command());
    for order in &orders {
        let path = format!("/api/orders/{}", order.id);
        assert_eq!(client.status(Service::OrderApi, &path).await, Some(200), "{path} is gone");
    }
    client.wait_until_arrived(&orders).await;
    drop(instance);
    sandbox.wait_until_postgres_is_gone();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_in_time_during_the_start_and_does_not_report_ready() {
    let sandbox = Sandbox::new("hasty");
    let (instance, ready) = Instance::spawn(&mut sandbox.command());
    // The first file that it creates.
    while !sandbox.home.join("lock").exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    instance.signal("TERM");
    let (code, stderr) = instance.wait_for_exit(Duration::from_secs(20));
    assert_eq!((code, stderr), (Some(0), Vec::new()));
    assert!(ready.recv().is_err(), "it reported that it was ready");
    assert!(!sandbox.is_postgres_running());
}
