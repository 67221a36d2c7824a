use std::time::Duration;

use end_to_end::cluster::Cluster;
use end_to_end::customers::Customers;
use end_to_end::fleet::{Fleet, Size};
use end_to_end::read_models;

/// The load, and how long it lasts after the road is in use.
const RATE: u32 = 200;
const SECONDS: usize = 20;

/// Within which 99 of 100 orders are to be with a consumer.
const BOUND: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn an_order_is_with_the_consumers_within_a_tenth_of_a_second() {
    let _cluster = Cluster::alone().await;
    let fleet = Fleet::start(Size::SHARED).await;
    let ahead = Customers::place(fleet.counters(), RATE, 10 * RATE as usize).await;
    read_models::hold_each_once(&fleet, &ahead).await;

    let orders = Customers::place(fleet.counters(), RATE, SECONDS * RATE as usize).await;
    read_models::hold_each_once(&fleet, &orders).await;
    let delays = read_models::delays(&fleet, &orders).await;
    fleet.stop();

    for (group, delays) in ["pharmacy-order-group", "notification-group"].iter().zip(delays) {
        let [half, most] = [50, 99].map(|percent| percentile(&delays, percent));
        println!("{group}: p50 {half:.1?}, p99 {most:.1?} at {RATE} orders/s");
        assert!(most <= BOUND, "{group}: p99 {most:?}");
    }
}

/// The time that so many percent did not exceed (nearest rank).
fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[(times.len() * percent).div_ceil(100) - 1]
}
