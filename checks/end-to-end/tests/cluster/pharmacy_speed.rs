use std::sync::Arc;
use std::time::{Duration, Instant};

use end_to_end::bare_road;
use end_to_end::cluster::Cluster;
use end_to_end::fleet::{Fleet, Size};
use end_to_end::instance::http;
use end_to_end::order_load::OrderLoad;
use end_to_end::quick::unless_quick;
use end_to_end::read_models;
use end_to_end::times::{affordable_rate, percentile};
use reqwest::{Client, StatusCode};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// Actions per second. A lower rate is for machines that are busy all the time at the one before.
const RATES: [u32; 3] = [100, 50, 25];

/// Duration of a measurement.
const SECONDS: usize = 10;

/// Every one of so many orders is polled for its status. More polls would be a load of their own.
const POLLED: usize = 5;

/// Time between two polls of an order, at first. It grows, so that a slow system is not slowed down.
const POLL: Duration = Duration::from_millis(5);

/// Maximum 99th percentile of the time from an action to the status of the order.
const MAX_DELAY: Duration = Duration::from_millis(150);

/// On a slow machine, the maximum as a multiple of the bare road at twice the rate: an action is an event
/// of the pharmacy, which causes one of the order.
const MAX_TIMES: u32 = 6;

/// Maximum number of concurrent requests.
const CONCURRENT: usize = 64;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the cluster"]
async fn an_order_follows_an_action_of_the_pharmacy_within_150_milliseconds() {
    let cluster = Cluster::lock().await;
    let fleet = Fleet::start(Size::SHARED).await;
    let (mut p99s, mut bare) = (Vec::new(), Vec::new());
    let measure = async |rate| place_and_confirm(&fleet, rate).await;
    let rate = affordable_rate(unless_quick(&RATES, &RATES[2..]), MAX_DELAY, measure).await;
    let per_second = rate.per_second;
    // Other programs may disturb some measurements, so the median counts.
    for _ in 0..unless_quick(5, 3) {
        let delays = place_and_confirm(&fleet, per_second).await;
        let [p50, p99] = [50, 99].map(|percent| percentile(&delays, percent));
        println!("action → status: p50 {p50:.1?}, p99 {p99:.1?} at {per_second} actions/s");
        p99s.push(p99);
        bare.push(bare_road::p99(&cluster, 2 * per_second));
    }
    fleet.stop();
    let limit = rate.limit(bare_road::limit(MAX_DELAY, MAX_TIMES, &bare));
    println!("bare road: p99 {bare:.1?}; the limit is {limit:.1?}");
    let median = percentile(&p99s, 50);
    assert!(median <= limit, "p99 {median:?}, the median of {p99s:?}");
}

async fn place_and_confirm(fleet: &Fleet, rate: u32) -> Vec<Duration> {
    let actions = SECONDS * rate as usize;
    let mut orders = OrderLoad::place(fleet.api_urls(), 2 * rate, actions * 10 / 9 + 10).await;
    read_models::wait_until_each_once(fleet, &orders).await;
    orders.retain(|order| !order.cancelled);
    confirm(fleet, rate, orders.into_iter().map(|order| order.id).take(actions).collect()).await
}

/// Confirms the orders at a constant rate. Returns the time from the request until the order has the
/// status, for those that are polled.
async fn confirm(fleet: &Fleet, rate: u32, ids: Vec<String>) -> Vec<Duration> {
    let mut pace = interval(Duration::from_secs(1) / rate);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (client, permits) = (http(), Arc::new(Semaphore::new(CONCURRENT)));
    let mut actions = JoinSet::new();
    for (number, id) in ids.into_iter().enumerate() {
        pace.tick().await;
        let pharmacy = fleet.pharmacies[number % fleet.pharmacies.len()].url().to_owned();
        let api = fleet.apis[number % fleet.apis.len()].url().to_owned();
        let (client, permits) = (client.clone(), Arc::clone(&permits));
        actions.spawn(async move {
            let begin = Instant::now();
            let permit = permits.acquire().await.unwrap();
            let url = format!("{pharmacy}/api/pharmacy/orders/{id}/confirm");
            let answer = client.post(url).header("If-Match", "\"0\"").send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK, "{}", answer.text().await.unwrap());
            drop(permit);
            if !number.is_multiple_of(POLLED) {
                return None;
            }
            while !is_confirmed(&client, &format!("{api}/api/orders/{id}")).await {
                sleep(POLL.max(begin.elapsed() / 20)).await;
            }
            Some(begin.elapsed())
        });
    }
    actions.join_all().await.into_iter().flatten().collect()
}

async fn is_confirmed(client: &Client, url: &str) -> bool {
    let order: serde_json::Value = client.get(url).send().await.unwrap().json().await.unwrap();
    order["status"] == "confirmed"
}
