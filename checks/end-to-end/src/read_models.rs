//! What the pharmacy and notification show.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::eventually::eventually;
use crate::fleet::{Fleet, counts};
use crate::instance::http;
use crate::order::{Order, events};
use crate::outsider::asked_for;

/// How many questions are asked at the same time.
const ASKING: usize = 16;

/// Waits until every order is whole in both read models, and checks that each is there once, saying what was asked
/// for, and that every customer was notified once of each event.
pub async fn hold_each_once(fleet: &Fleet, orders: &[Order]) {
    let mut known = HashMap::new();
    eventually("the pharmacy knows every order", async || {
        known = pharmacy_orders(fleet, orders).await;
        orders.iter().all(|order| {
            known.get(&order.id).is_some_and(|known| known["version"] == order.events())
        })
    })
    .await;
    for order in orders {
        let known = &known[&order.id];
        assert_eq!(known["version"], order.events(), "{known}");
        assert_eq!(known["missing"], 0, "{known}");
        let status = if order.cancelled { "cancelled" } else { "draft" };
        assert_eq!(known["status"], status, "{known}");
        assert_eq!(asked_for(known), asked_for(&order.wish), "{known}");
    }
    let mut told = HashMap::new();
    eventually("every customer is notified of every event", async || {
        told = notifications(fleet, orders).await;
        told.values().map(Vec::len).sum::<usize>() >= events(orders)
    })
    .await;
    for order in orders {
        let mut versions: Vec<_> =
            told[&order.id].iter().map(|n| n["orderVersion"].clone()).collect();
        versions.sort_by_key(Value::as_u64);
        let once: Vec<_> = (1..=order.events()).map(|version| json!(version)).collect();
        assert_eq!(versions, once, "{}", order.id);
    }
}

/// Checks that instances which have known nothing but these orders took each of their events into effect once.
pub async fn took_each_event_once(fleet: &Fleet, orders: &[Order]) {
    for group in [&fleet.pharmacies, &fleet.notifications] {
        let applied = counts(group, "consumer_events_applied_total").await;
        assert_eq!(applied.iter().sum::<u64>(), events(orders) as u64, "{applied:?}");
    }
}

/// How long each order took from before its commit until after the pharmacy's, and until after notification's.
pub async fn delays(fleet: &Fleet, orders: &[Order]) -> [Vec<Duration>; 2] {
    let known = pharmacy_orders(fleet, orders).await;
    let told = notifications(fleet, orders).await;
    let since = |order: &Order, then: &Value| {
        let then: DateTime<Utc> = then.as_str().unwrap().parse().unwrap();
        (then - order.created_at).to_std().unwrap_or_default()
    };
    let first = |order: &Order| {
        let first = told[&order.id].iter().find(|told| told["orderVersion"] == 1);
        first.unwrap()["recordedAt"].clone()
    };
    [
        orders.iter().map(|order| since(order, &known[&order.id]["receivedAt"])).collect(),
        orders.iter().map(|order| since(order, &first(order))).collect(),
    ]
}

/// What the pharmacy knows of these orders, from its pages, newest first.
async fn pharmacy_orders(fleet: &Fleet, orders: &[Order]) -> HashMap<String, Value> {
    let oldest = orders.iter().map(|order| order.id.as_str()).min().unwrap();
    let pharmacy = &fleet.pharmacies[0];
    let mut known = HashMap::new();
    let mut path = "/api/pharmacy/orders?limit=100".to_owned();
    loop {
        let page = pharmacy.get(&path).await.expect("the pharmacy shows its orders");
        let items = page["items"].as_array().unwrap();
        let mut id = "";
        for order in items {
            id = order["orderId"].as_str().unwrap();
            known.insert(id.to_owned(), order.clone());
        }
        // Ids ascend with time.
        let Some(cursor) = page["nextCursor"].as_str().filter(|_| id >= oldest) else {
            return known;
        };
        path = format!("/api/pharmacy/orders?limit=100&cursor={cursor}");
    }
}

/// The notifications about each of these orders.
async fn notifications(fleet: &Fleet, orders: &[Order]) -> HashMap<String, Vec<Value>> {
    let (client, room) = (http(), Arc::new(Semaphore::new(ASKING)));
    let mut questions = JoinSet::new();
    for (place, order) in orders.iter().enumerate() {
        let notification = &fleet.notifications[place % fleet.notifications.len()];
        let url = format!("{}/api/notifications?orderId={}", notification.url(), order.id);
        let (client, room, id) = (client.clone(), room.clone(), order.id.clone());
        questions.spawn(async move {
            let _place = room.acquire_owned().await.unwrap();
            let page: Value = client.get(url).send().await.unwrap().json().await.unwrap();
            (id, page["items"].as_array().unwrap().clone())
        });
    }
    questions.join_all().await.into_iter().collect()
}
