use std::time::{Duration, Instant};

use application::relay::{Delivery, Publisher};

use super::fixture::{Fixture, RecordingInbox, events, eventually, outbox_record};

/// The end-to-end tests allow 100 ms for the whole path at the 99th percentile. Here the median of
/// Kafka's part has the same limit, so that the test passes on a busy machine in a debug build.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_median_latency_from_publisher_to_consumer_is_below_100_ms() {
    let fixture = Fixture::start().await;
    let inbox = RecordingInbox::default();
    let consumer = fixture.consumer("group", &inbox);
    eventually("joining", || consumer.health.is_ready()).await;
    let publisher = fixture.publisher();

    let mut latencies = Vec::new();
    for event in events(100) {
        let started = Instant::now();
        let deliveries =
            publisher.publish(&[&outbox_record(&event)], Duration::from_secs(20)).await;
        assert_eq!(deliveries, [Delivery::Acknowledged]);
        let event = [event];
        while !inbox.has(&event) {
            assert!(started.elapsed() < Duration::from_secs(20), "it never arrived");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        latencies.push(started.elapsed());
    }
    consumer.stop().await;
    latencies.sort_unstable();
    println!("median {:?}, 99th percentile {:?}", latencies[50], latencies[98]);
    assert!(latencies[50] < Duration::from_millis(100), "median {:?}", latencies[50]);
}
