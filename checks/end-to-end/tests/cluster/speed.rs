use std::time::Duration;

use end_to_end::bare_road;
use end_to_end::cluster::Cluster;
use end_to_end::fleet::{Fleet, Size};
use end_to_end::order_load::OrderLoad;
use end_to_end::quick::unless_quick;
use end_to_end::read_models;
use end_to_end::times::{affordable_rate, percentile};

/// Orders per second. A lower rate is for machines that are busy all the time at the one before.
const RATES: [u32; 3] = [200, 100, 50];

/// Duration of a measurement.
const SECONDS: usize = 10;

/// Maximum 99th percentile of the delay until an order is in a read model.
const MAX_DELAY: Duration = Duration::from_millis(100);

/// On a slow machine, the maximum as a multiple of the bare road.
const MAX_TIMES: u32 = 4;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn an_order_is_in_the_read_models_within_a_tenth_of_a_second() {
    let cluster = Cluster::lock().await;
    let fleet = Fleet::start(Size::SHARED).await;
    let (mut p99s, mut bare) = ([Vec::new(), Vec::new()], Vec::new());
    let measure = async |rate| place_and_measure(&fleet, rate).await.concat();
    let rate = affordable_rate(unless_quick(&RATES, &RATES[2..]), MAX_DELAY, measure).await;
    let per_second = rate.per_second;
    // Other programs may disturb some measurements, so the median counts.
    for _ in 0..unless_quick(5, 3) {
        let delays = place_and_measure(&fleet, per_second).await;
        for ((group, delays), p99s) in GROUPS.iter().zip(delays).zip(&mut p99s) {
            let [p50, p99] = [50, 99].map(|percent| percentile(&delays, percent));
            println!("{group}: p50 {p50:.1?}, p99 {p99:.1?} at {per_second} orders/s");
            p99s.push(p99);
        }
        bare.push(bare_road::p99(&cluster, per_second));
    }
    fleet.stop();
    let limit = rate.limit(bare_road::limit(MAX_DELAY, MAX_TIMES, &bare));
    println!("bare road: p99 {bare:.1?}; the limit is {limit:.1?}");
    for (group, p99s) in GROUPS.iter().zip(p99s) {
        let median = percentile(&p99s, 50);
        assert!(median <= limit, "{group}: p99 {median:?}, the median of {p99s:?}");
    }
}

const GROUPS: [&str; 2] = ["pharmacy-order-group", "notification-group"];

async fn place_and_measure(fleet: &Fleet, rate: u32) -> [Vec<Duration>; 2] {
    let orders = OrderLoad::place(fleet.api_urls(), rate, SECONDS * rate as usize).await;
    read_models::wait_until_each_once(fleet, &orders).await;
    read_models::delays(fleet, &orders).await
}
