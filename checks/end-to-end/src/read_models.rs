//! The read models of the pharmacy and of notification.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::eventually::eventually_all;
use crate::external_clients::order_content;
use crate::fleet::{Fleet, counters};
use crate::instance::http;
use crate::order::{Order, events};

/// Maximum number of concurrent requests.
const CONCURRENT: usize = 16;

/// Waits until every order is complete in both read models. Checks that each is there once with the
/// right content, and that there is one notification for each event.
pub async fn wait_until_each_once(fleet: &Fleet, orders: &[Order]) {
    let mut known = HashMap::new();
    eventually_all("orders are in the read model of the pharmacy", orders.len(), async || {
        known = pharmacy_orders(fleet, orders).await;
        let is_complete = |order: &&Order| {
            known.get(&order.id).is_some_and(|known| known["version"] == order.events())
        };
        orders.iter().filter(is_complete).count()
    })
    .await;
    for order in orders {
        let known = &known[&order.id];
        assert_eq!(known["version"], order.events(), "{known}");
        assert_eq!(known["missing"], 0, "{known}");
        let status = if order.cancelled { "cancelled" } else { "draft" };
        assert_eq!(known["status"], status, "{known}");
        assert_eq!(order_content(known), order_content(&order.body), "{known}");
    }
    let mut notified = HashMap::new();
    eventually_all("events have a notification", events(orders), async || {
        notified = notifications(fleet, orders).await;
        notified.values().map(Vec::len).sum()
    })
    .await;
    for order in orders {
        let mut versions: Vec<_> =
            notified[&order.id].iter().map(|n| n["orderVersion"].clone()).collect();
        versions.sort_by_key(Value::as_u64);
        let once: Vec<_> = (1..=order.events()).map(|version| json!(version)).collect();
        assert_eq!(versions, once, "{}", order.id);
    }
}

/// Checks that each event was applied once. The instances must have processed only these orders.
pub async fn assert_each_event_applied_once(fleet: &Fleet, orders: &[Order]) {
    for group in [&fleet.pharmacies, &fleet.notifications] {
        let applied = counters(group, "consumer_events_applied_total").await;
        assert_eq!(applied.iter().sum::<u64>(), events(orders) as u64, "{applied:?}");
    }
}

/// For each order, the time from `createdAt` until it was in the read model of the pharmacy, and in
/// that of notification.
pub async fn delays(fleet: &Fleet, orders: &[Order]) -> [Vec<Duration>; 2] {
    let known = pharmacy_orders(fleet, orders).await;
    let notified = notifications(fleet, orders).await;
    let since = |order: &Order, then: &Value| {
        let then: DateTime<Utc> = then.as_str().unwrap().parse().unwrap();
        (then - order.created_at).to_std().unwrap_or_default()
    };
    let first = |order: &Order| {
        let first = notified[&order.id].iter().find(|n| n["orderVersion"] == 1);
        first.unwrap()["recordedAt"].clone()
    };
    [
        orders.iter().map(|order| since(order, &known[&order.id]["receivedAt"])).collect(),
        orders.iter().map(|order| since(order, &first(order))).collect(),
    ]
}

/// These orders in the read model of the pharmacy. Reads its pages, newest first.
async fn pharmacy_orders(fleet: &Fleet, orders: &[Order]) -> HashMap<String, Value> {
    let oldest = orders.iter().map(|order| order.id.as_str()).min().unwrap();
    let pharmacy = &fleet.pharmacies[0];
    let mut known = HashMap::new();
    let mut path = "/api/pharmacy/orders?limit=100".to_owned();
    loop {
        let page = pharmacy.get(&path).await.expect("a page of orders");
        let items = page["items"].as_array().unwrap();
        let mut id = "";
        for order in items {
            id = order["orderId"].as_str().unwrap();
            known.insert(id.to_owned(), order.clone());
        }
        // Ids ascend with time, so the pages after the oldest order are not needed.
        let Some(cursor) = page["nextCursor"].as_str().filter(|_| id >= oldest) else {
            return known;
        };
        path = format!("/api/pharmacy/orders?limit=100&cursor={cursor}");
    }
}

/// The notifications of each of these orders.
async fn notifications(fleet: &Fleet, orders: &[Order]) -> HashMap<String, Vec<Value>> {
    let (client, permits) = (http(), Arc::new(Semaphore::new(CONCURRENT)));
    let mut requests = JoinSet::new();
    for (index, order) in orders.iter().enumerate() {
        let notification = &fleet.notifications[index % fleet.notifications.len()];
        let url = format!("{}/api/notifications?orderId={}", notification.url(), order.id);
        let (client, permits, id) = (client.clone(), permits.clone(), order.id.clone());
        requests.spawn(async move {
            let _permit = permits.acquire_owned().await.unwrap();
            let page: Value = client.get(url).send().await.unwrap().json().await.unwrap();
            (id, page["items"].as_array().unwrap().clone())
        });
    }
    requests.join_all().await.into_iter().collect()
}
