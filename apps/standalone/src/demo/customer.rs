use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::endpoints::Endpoints;

/// Orders through the HTTP API, as any client would.
#[derive(Debug, Clone)]
pub(super) struct Customer {
    client: Client,
    orders: String,
}

/// An order that was answered with 201.
#[derive(Debug, Clone)]
pub(super) struct PlacedOrder {
    pub(super) id: Uuid,
    /// When the API took it: a little before the commit.
    pub(super) taken_at_micros: i64,
    /// How long the customer waited for the answer.
    pub(super) post: Duration,
    pub(super) cancelled: bool,
}

impl PlacedOrder {
    /// How many events the order has recorded.
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

    /// Places the `number`th order.
    pub(super) async fn place(&self, number: u32) -> Result<PlacedOrder, String> {
        let wish = wish(number);
        let begin = Instant::now();
        let answer =
            self.client.post(&self.orders).json(&wish).send().await.map_err(in_one_line)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(in_one_line)?;
        let post = begin.elapsed();
        if status != StatusCode::CREATED {
            return Err(format!("{status}: {}", String::from_utf8_lossy(&body)));
        }
        let answer: Answer = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        Ok(PlacedOrder {
            id: answer.order_id,
            taken_at_micros: answer.created_at.timestamp_micros(),
            post,
            cancelled: false,
        })
    }

    /// Cancels an order.
    pub(super) async fn cancel(&self, order: &mut PlacedOrder) -> Result<(), String> {
        let url = format!("{}/{}/cancel", self.orders, order.id);
        let wish = json!({"reason": "changed my mind"});
        let answer = self.client.post(url).json(&wish).send().await.map_err(in_one_line)?;
        if !answer.status().is_success() {
            return Err(format!("cancel: {}", answer.status()));
        }
        order.cancelled = true;
        Ok(())
    }
}

/// What the `number`th customer asks for. Every third item says which medication is meant by it,
/// every fourth order has a note.
fn wish(number: u32) -> Value {
    let items: Vec<_> = (1..=1 + number % 3).map(|item| one_item(number, item)).collect();
    let mut wish = json!({"customerName": format!("Customer {number}"), "items": items});
    if number % 4 == 1 {
        wish["note"] = json!("Please ring twice.\nThe bell is quiet.");
    }
    wish
}

fn one_item(number: u32, item: u32) -> Value {
    let mut wish = json!({"productId": 100 * item + number % 7, "quantity": 1 + number % 5});
    if (number + item).is_multiple_of(3) {
        wish["medication"] = json!({
            "system": "http://snomed.info/sct",
            "code": "387517004",
            "display": "Paracetamol",
        });
    }
    wish
}

#[allow(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn in_one_line(error: reqwest::Error) -> String {
    runtime::one_line(&error)
}
