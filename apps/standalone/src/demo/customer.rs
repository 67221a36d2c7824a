use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use super::addressee::{Addressee, Addressees};
use crate::endpoints::Endpoints;

/// The pause before a customer looks at an order again.
const LOOK_PAUSE: Duration = Duration::from_millis(200);

/// A client that places orders and asks to cancel them, through the HTTP API.
#[derive(Debug, Clone)]
pub(super) struct Customer {
    client: Client,
    orders: String,
    /// `None` if no letters are sent.
    addressees: Option<Addressees>,
}

/// An order that was answered with 201.
#[derive(Debug, Clone)]
pub(super) struct PlacedOrder {
    pub(super) id: Uuid,
    /// `createdAt` of the order, shortly before the commit.
    pub(super) created_at_micros: i64,
    /// Duration of the `POST` request.
    pub(super) post: Duration,
    /// The answer to the customer who asked to cancel it.
    pub(super) cancellation: Option<CancelAnswer>,
    /// The customer, if the customer has an id.
    pub(super) addressee: Option<Addressee>,
}

/// The answer to a request to cancel an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CancelAnswer {
    /// 200: it is cancelled.
    Cancelled,
    /// 202: the pharmacy has not decided yet.
    Asked,
    /// 409: it cannot be cancelled any more.
    TooLate,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    order_id: Uuid,
    created_at: chrono::DateTime<chrono::Utc>,
}

#[derive(Deserialize)]
struct Status {
    status: String,
}

/// The type of a problem.
#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: String,
}

impl Customer {
    pub(super) fn new(
        client: Client,
        endpoints: &Endpoints,
        addressees: Option<Addressees>,
    ) -> Self {
        Self { client, orders: format!("{}/api/orders", endpoints.order_api), addressees }
    }

    /// Places order number `number`.
    pub(super) async fn place(&self, number: u32) -> Result<PlacedOrder, String> {
        let addressee = self.addressees.and_then(|addressees| addressees.of_order(number));
        let mut body = order_body(number);
        if let Some(addressee) = addressee {
            body["customerId"] = json!(addressee.id());
        }
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
            cancellation: None,
            addressee,
        })
    }

    /// Waits until the order can be picked up, or is done.
    pub(super) async fn wait_until_ready(&self, order: Uuid) {
        let url = format!("{}/{order}", self.orders);
        loop {
            if let Ok(answer) = self.client.get(&url).send().await
                && let Ok(Status { status }) = answer.json().await
                && !matches!(status.as_str(), "created" | "confirmed")
            {
                return;
            }
            sleep(LOOK_PAUSE).await;
        }
    }

    /// Asks to cancel an order. If `waits`, the answer comes when the pharmacy has decided, or after
    /// five seconds.
    pub(super) async fn cancel(&self, order: Uuid, waits: bool) -> Result<CancelAnswer, String> {
        let url = format!("{}/{order}/cancel", self.orders);
        let mut request = self.client.post(url).json(&json!({"reason": "changed my mind"}));
        if waits {
            request = request.header("prefer", "wait=5");
        }
        let answer = request.send().await.map_err(in_one_line)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(in_one_line)?;
        let kind = |body| {
            serde_json::from_slice(body).map_or_else(|_| String::new(), |Kind { kind }| kind)
        };
        match status {
            StatusCode::OK => Ok(CancelAnswer::Cancelled),
            StatusCode::ACCEPTED => Ok(CancelAnswer::Asked),
            StatusCode::CONFLICT if kind(&body) == "/problems/not-cancellable" => {
                Ok(CancelAnswer::TooLate)
            }
            _ => Err(format!("{status}: {}", String::from_utf8_lossy(&body))),
        }
    }
}

/// How the names of the demo's customers begin. The pharmacist works only on their orders.
pub(super) const CUSTOMER: &str = "Demo customer ";

/// The name of the customer of order number `number`.
pub(super) fn customer_name(number: u32) -> String {
    format!("{CUSTOMER}{number}")
}

/// The body of order number `number`. Every third item has a medication, every fourth order a note.
fn order_body(number: u32) -> Value {
    let items: Vec<_> = (1..=1 + number % 3).map(|item| item_body(number, item)).collect();
    let mut body = json!({"customerName": customer_name(number), "items": items});
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
