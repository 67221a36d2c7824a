//! Those who order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval};

use crate::instance::http;
use crate::order::{Order, wish};

/// How many customers wait for an answer at the same time, at the most.
const WAITING: usize = 64;

/// Customers who come at an even rate, each to one of several counters. Every tenth comes back to the next counter and
/// calls the order off.
pub struct Customers {
    enough: Arc<AtomicBool>,
    orders: JoinHandle<Vec<Order>>,
}

impl Customers {
    /// Lets customers come until [`Self::leave`].
    pub fn come(counters: Vec<String>, per_second: u32) -> Self {
        Self::begin(counters, per_second, usize::MAX, wish)
    }

    /// Lets so many customers come, and waits until all were served.
    pub async fn place(counters: Vec<String>, per_second: u32, number: usize) -> Vec<Order> {
        Self::ask_for(wish, counters, per_second, number).await
    }

    /// Lets so many customers come who ask for this, and waits until all were served.
    pub async fn ask_for(
        wish: fn(usize) -> Value,
        counters: Vec<String>,
        per_second: u32,
        number: usize,
    ) -> Vec<Order> {
        Self::begin(counters, per_second, number, wish).orders.await.unwrap()
    }

    /// Lets no more come; the orders that were placed.
    pub async fn leave(self) -> Vec<Order> {
        self.enough.store(true, Ordering::Relaxed);
        self.orders.await.unwrap()
    }

    fn begin(
        counters: Vec<String>,
        per_second: u32,
        number: usize,
        wish: fn(usize) -> Value,
    ) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let told = enough.clone();
        let orders = tokio::spawn(async move {
            let mut pace = interval(Duration::from_secs(1) / per_second);
            pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let (client, room) = (http(), Arc::new(Semaphore::new(WAITING)));
            let mut visits = JoinSet::new();
            let mut orders = Vec::new();
            for number in (0..number).take_while(|_| !told.load(Ordering::Relaxed)) {
                pace.tick().await;
                let place = room.clone().acquire_owned().await.unwrap();
                let here = counters[number % counters.len()].clone();
                let there = counters[(number + 1) % counters.len()].clone();
                let client = client.clone();
                visits.spawn(async move {
                    let order = visit(&client, number, wish(number), &here, &there).await;
                    drop(place);
                    order
                });
                while let Some(order) = visits.try_join_next() {
                    orders.push(order.unwrap());
                }
            }
            orders.extend(visits.join_all().await);
            orders
        });
        Self { enough, orders }
    }
}

/// Places an order, which the API must take.
async fn visit(client: &Client, number: usize, wish: Value, here: &str, there: &str) -> Order {
    let answer = post(client, &format!("{here}/api/orders"), &wish, StatusCode::CREATED).await;
    let mut order = Order {
        id: answer["orderId"].as_str().unwrap().to_owned(),
        wish,
        created_at: answer["createdAt"].as_str().unwrap().parse().unwrap(),
        cancelled: false,
    };
    if number % 10 == 9 {
        let reason = json!({"reason": "changed my mind"});
        let url = format!("{there}/api/orders/{}/cancel", order.id);
        post(client, &url, &reason, StatusCode::OK).await;
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
