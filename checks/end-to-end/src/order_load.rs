//! Clients that place orders.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::task::AbortOnDropHandle;

use crate::instance::http;
use crate::order::{Order, order_body};

/// Maximum number of concurrent requests.
const CONCURRENT: usize = 64;

/// Orders placed at a constant rate, in turn at several instances of order-api. Every tenth order
/// is cancelled, at the next instance. Dropping it stops it at once.
pub struct OrderLoad {
    stop: Arc<AtomicBool>,
    orders: AbortOnDropHandle<Vec<Order>>,
}

impl OrderLoad {
    /// Places orders until [`Self::stop`].
    pub fn start(api_urls: Vec<String>, per_second: u32) -> Self {
        Self::begin(api_urls, per_second, usize::MAX, order_body)
    }

    /// Places `number` orders and waits for all answers.
    pub async fn place(api_urls: Vec<String>, per_second: u32, number: usize) -> Vec<Order> {
        Self::place_with(order_body, api_urls, per_second, number).await
    }

    /// Places `number` orders with these bodies and waits for all answers.
    pub async fn place_with(
        body: fn(usize) -> Value,
        api_urls: Vec<String>,
        per_second: u32,
        number: usize,
    ) -> Vec<Order> {
        Self::begin(api_urls, per_second, number, body).orders.await.unwrap()
    }

    /// Stops placing orders. Returns the orders that were placed.
    pub async fn stop(self) -> Vec<Order> {
        self.stop.store(true, Ordering::Relaxed);
        self.orders.await.unwrap()
    }

    fn begin(
        api_urls: Vec<String>,
        per_second: u32,
        number: usize,
        body: fn(usize) -> Value,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let orders = AbortOnDropHandle::new(tokio::spawn(async move {
            let mut pace = interval(Duration::from_secs(1) / per_second);
            pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let (client, permits) = (http(), Arc::new(Semaphore::new(CONCURRENT)));
            let mut requests = JoinSet::new();
            let mut orders = Vec::new();
            for number in (0..number).take_while(|_| !stopped.load(Ordering::Relaxed)) {
                pace.tick().await;
                let permit = permits.clone().acquire_owned().await.unwrap();
                let first = api_urls[number % api_urls.len()].clone();
                let second = api_urls[(number + 1) % api_urls.len()].clone();
                let client = client.clone();
                requests.spawn(async move {
                    let order =
                        place_and_cancel(&client, number, body(number), &first, &second).await;
                    drop(permit);
                    order
                });
                while let Some(order) = requests.try_join_next() {
                    orders.push(order.unwrap());
                }
            }
            orders.extend(requests.join_all().await);
            orders
        }));
        Self { stop, orders }
    }
}

/// Places an order at the first instance. Cancels every tenth at the second. Panics if the API
/// refuses.
async fn place_and_cancel(
    client: &Client,
    number: usize,
    body: Value,
    first: &str,
    second: &str,
) -> Order {
    let answer = post(client, &format!("{first}/api/orders"), &body, StatusCode::CREATED).await;
    let mut order = Order {
        id: answer["orderId"].as_str().unwrap().to_owned(),
        body,
        created_at: answer["createdAt"].as_str().unwrap().parse().unwrap(),
        cancelled: false,
    };
    if number % 10 == 9 {
        let reason = json!({"reason": "changed my mind"});
        let url = format!("{second}/api/orders/{}/cancel", order.id);
        post(client, &url, &reason, StatusCode::ACCEPTED).await;
        order.cancelled = true;
    }
    order
}

async fn post(client: &Client, url: &str, body: &Value, expected: StatusCode) -> Value {
    let answer = client.post(url).json(body).send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert_eq!(status, expected, "{text}");
    serde_json::from_str(&text).unwrap()
}
