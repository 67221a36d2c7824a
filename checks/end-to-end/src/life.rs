//! Customers who place and cancel orders, and pharmacists who work on them, while instances of the
//! services come and go.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::fleet::Fleet;
use crate::instance::http;
use crate::order::order_body;

/// Maximum number of concurrent requests of the customers, and of the pharmacists.
const CONCURRENT: usize = 32;

/// Wait before a request is repeated that an instance did not answer.
const RETRY: Duration = Duration::from_millis(100);

/// The longest time after which a customer cancels an order.
const MAX_PATIENCE_MS: u64 = 5_000;

/// The URLs of the instances that run now.
#[derive(Clone, Default)]
pub struct Urls(Arc<Mutex<(Vec<String>, Vec<String>)>>);

impl Urls {
    /// Replaces them by those of the fleet.
    pub fn set(&self, fleet: &Fleet) {
        let pharmacies = fleet.pharmacies.iter().map(|it| it.url().to_owned()).collect();
        *self.0.lock().unwrap() = (fleet.api_urls(), pharmacies);
    }

    fn api(&self, number: usize) -> String {
        let (apis, _) = &*self.0.lock().unwrap();
        apis[number % apis.len()].clone()
    }

    fn pharmacy(&self, number: usize) -> String {
        let (_, pharmacies) = &*self.0.lock().unwrap();
        pharmacies[number % pharmacies.len()].clone()
    }
}

/// What the customers have done so far.
#[derive(Clone, Default)]
pub struct Placed {
    /// The ids of the orders.
    pub ids: Arc<Mutex<Vec<String>>>,
    /// The number of requests to cancel, by the status of their answers.
    pub accepted: Arc<AtomicUsize>,
    /// Requests that came too late.
    pub too_late: Arc<AtomicUsize>,
}

impl Placed {
    /// The cursor of a list, after which it has all of these orders; `None` if there are none.
    fn cursor_before_all(&self) -> Option<String> {
        let ids = self.ids.lock().unwrap();
        // A cursor is an id without hyphens, and ids begin with the time in milliseconds. The first
        // answer may be for an order that is a little younger than others.
        let milliseconds = ids.first()?.replace('-', "");
        let milliseconds = u64::from_str_radix(&milliseconds[..12], 16).unwrap() - 10_000;
        Some(format!("{milliseconds:012x}{:020x}", 0))
    }
}

/// Places `number` orders at this rate. Every fifth customer cancels, up to some seconds later.
///
/// A request that is not answered is repeated with the same idempotency key.
pub async fn place_and_cancel(urls: &Urls, number: usize, per_second: u32, placed: &Placed) {
    let mut pace = interval(Duration::from_secs(1) / per_second);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (client, permits) = (http(), Arc::new(Semaphore::new(CONCURRENT)));
    let mut customers = JoinSet::new();
    for number in 0..number {
        pace.tick().await;
        let (client, urls, placed) = (client.clone(), urls.clone(), placed.clone());
        let permits = permits.clone();
        customers.spawn(async move {
            let place = |client: &Client, attempt: usize| {
                let url = format!("{}/api/orders", urls.api(number + attempt));
                client.post(url).json(&order_body(number))
            };
            let key = format!("place-{number}-{}", std::process::id());
            let (status, order) = until_answered(&client, &permits, &key, place).await;
            assert_eq!(status, StatusCode::CREATED, "{order}");
            let id = order["orderId"].as_str().unwrap().to_owned();
            placed.ids.lock().unwrap().push(id.clone());
            if number % 5 == 0 {
                sleep(Duration::from_millis(number as u64 * 7_919 % MAX_PATIENCE_MS)).await;
                let cancel = |client: &Client, attempt: usize| {
                    let url = format!("{}/api/orders/{id}/cancel", urls.api(number + attempt));
                    client.post(url).json(&json!({"reason": "changed my mind"}))
                };
                let key = format!("cancel-{number}-{}", std::process::id());
                match until_answered(&client, &permits, &key, cancel).await {
                    (StatusCode::OK | StatusCode::ACCEPTED, _) => &placed.accepted,
                    (StatusCode::CONFLICT, _) => &placed.too_late,
                    (status, answer) => panic!("{status}: {answer}"),
                }
                .fetch_add(1, Ordering::Relaxed);
            }
        });
        while let Some(customer) = customers.try_join_next() {
            customer.unwrap();
        }
    }
    customers.join_all().await;
}

/// Repeats a request until an instance answers it.
async fn until_answered(
    client: &Client,
    permits: &Semaphore,
    key: &str,
    request: impl Fn(&Client, usize) -> RequestBuilder,
) -> (StatusCode, Value) {
    let mut attempt = 0;
    loop {
        let permit = permits.acquire().await.unwrap();
        let answer = request(client, attempt).header("Idempotency-Key", key).send().await;
        if let Ok(answer) = answer
            && answer.status() != StatusCode::SERVICE_UNAVAILABLE
            && let (status, Ok(body)) = (answer.status(), answer.json().await)
        {
            return (status, body);
        }
        drop(permit);
        attempt += 1;
        sleep(RETRY).await;
    }
}

/// Pharmacists who work on all orders of these customers and on newer ones, the oldest first, until
/// [`Self::stop`].
pub struct Pharmacists {
    stop: Arc<AtomicBool>,
    work: JoinHandle<usize>,
}

impl Pharmacists {
    /// Starts to work.
    pub fn start(urls: &Urls, placed: &Placed) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let work = tokio::spawn(work(urls.clone(), placed.clone(), stop.clone()));
        Self { stop, work }
    }

    /// Stops. Returns the number of actions that succeeded.
    pub async fn stop(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.work.await.unwrap()
    }
}

async fn work(urls: Urls, placed: Placed, stop: Arc<AtomicBool>) -> usize {
    let (client, permits) = (http(), Arc::new(Semaphore::new(CONCURRENT)));
    let (mut done, mut round) = (0, 0);
    while !stop.load(Ordering::Relaxed) {
        round += 1;
        let Some(before_all) = placed.cursor_before_all() else {
            sleep(RETRY).await;
            continue;
        };
        let list = format!(
            "{}/api/pharmacy/orders?status=draft,confirmed,in_preparation,ready&order=oldest&limit=100\
             &cursor={before_all}",
            urls.pharmacy(round)
        );
        let Some(page) = get(&client, &list).await else {
            sleep(RETRY).await;
            continue;
        };
        let orders = page["items"].as_array().unwrap();
        if orders.is_empty() {
            sleep(RETRY).await;
        }
        let mut actions = JoinSet::new();
        for (number, order) in orders.iter().enumerate() {
            let (client, permits) = (client.clone(), permits.clone());
            let (pharmacy, order) = (urls.pharmacy(number), order.clone());
            actions.spawn(async move {
                let _permit = permits.acquire_owned().await.unwrap();
                act(&client, &pharmacy, &order).await
            });
        }
        done += actions.join_all().await.into_iter().filter(|done| *done).count();
    }
    done
}

/// Does the next thing with an order; some are rejected. Returns whether it was done. Another change
/// of the order, such as its cancellation, may come first.
async fn act(client: &Client, pharmacy: &str, order: &Value) -> bool {
    let (id, version) = (order["orderId"].as_str().unwrap(), &order["pharmacyVersion"]);
    let allowed = order["allowedActions"].as_array().unwrap();
    let Some(next) = allowed.first() else { return false };
    // The last characters of an id are random.
    let rejects = id.ends_with('0') && version == 1 && allowed.contains(&json!("reject"));
    let action = if rejects { "reject" } else { next.as_str().unwrap() };
    let url = format!("{pharmacy}/api/pharmacy/orders/{id}/{action}");
    let mut request = client.post(url).header("If-Match", format!("\"{version}\""));
    if rejects {
        request = request.json(&json!({"code": "out_of_stock", "text": "We have none"}));
    }
    // A killed instance does not answer: the next round shows whether it was done.
    let Ok(answer) = request.send().await else { return false };
    match answer.status() {
        StatusCode::OK => true,
        StatusCode::CONFLICT
        | StatusCode::PRECONDITION_FAILED
        | StatusCode::SERVICE_UNAVAILABLE => false,
        status => panic!("{action}: {status}: {}", answer.text().await.unwrap()),
    }
}

async fn get(client: &Client, url: &str) -> Option<Value> {
    let answer = client.get(url).send().await.ok()?;
    if !answer.status().is_success() {
        return None;
    }
    answer.json().await.ok()
}
