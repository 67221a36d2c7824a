use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::endpoints::Endpoints;

/// A client that places and cancels orders through the HTTP API.
#[derive(Debug, Clone)]
pub(super) struct Customer {
    client: Client,
    orders: String,
}

/// An order that was answered with 201.
#[derive(Debug, Clone)]
pub(super) struct PlacedOrder {
    pub(super) id: Uuid,
    /// `createdAt` of the order, shortly before the commit.
    pub(super) created_at_micros: i64,
    /// Duration of the `POST` request.
    pub(super) post: Duration,
    pub(super) cancelled: bool,
}

impl PlacedOrder {
    /// Number of events of the order.
    pub(super) fn events(&self) -> usize {
        1 + usize::from(self.cancelled)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    order_id: Uuid,
    created_at: chrono::DateTime<chrono::Utc>,
}

impl Customer {
    pub(super) fn new(client: Client, endpoints: &Endpoints) -> Self {
        Self { client, orders: format!("{}/api/orders", endpoints.order_api) }
    }

    /// Places order number `number`.
    pub(super) async fn place(&self, number: u32) -> Result<PlacedOrder, String> {
        let body = order_body(number);
        let begin = Instant::now();
        let answer =
            self.client.post(&self.orders).json(&body).send().await.map_err(in_one_line)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(in_one_line)?;
        let post = begin.elapsed();
        if status != StatusCode::CREATED {
            return Err(format!("{status}: {}", String::from_utf8_lossy(&body)));
        }
        let answer: Answer = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        Ok(PlacedOrder {
            id: answer.order_id,
            created_at_micros: answer.created_at.timestamp_micros(),
            post,
            cancelled: false,
        })
    }

    /// Cancels an order.
    pub(super) async fn cancel(&self, order: &mut PlacedOrder) -> Result<(), String> {
        let url = format!("{}/{}/cancel", self.orders, order.id);
        let body = json!({"reason": "changed my mind"});
        let answer = self.client.post(url).json(&body).send().await.map_err(in_one_line)?;
        if !answer.status().is_success() {
            return Err(format!("cancel: {}", answer.status()));
        }
        order.cancelled = true;
        Ok(())
    }
}

/// The body of order number `number`. Every third item has a medication, every fourth order a note.
fn order_body(number: u32) -> Value {
    let items: Vec<_> = (1..=1 + number % 3).map(|item| item_body(number, item)).collect();
    let mut body = json!({"customerName": format!("Customer {number}"), "items": items});
    if number % 4 == 1 {
        body["note"] = json!("Please ring twice.\nThe bell is quiet.");
    }
    body
}

fn item_body(number: u32, item: u32) -> Value {
    let mut body = json!({"productId": 100 * item + number % 7, "quantity": 1 + number % 5});
    if (number + item).is_multiple_of(3) {
        body["medication"] = json!({
            "system": "http://snomed.info/sct",
            "code": "387517004",
            "display": "Paracetamol",
        });
    }
    body
}

#[allow(clippy::needless_pass_by_value, reason = "the signature for map_err")]
fn in_one_line(error: reqwest::Error) -> String {
    runtime::one_line(&error)
}
