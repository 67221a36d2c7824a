//! The orders of the tests.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// An order that was answered with 201.
#[derive(Debug, Clone)]
pub struct Order {
    /// Its id.
    pub id: String,
    /// The body of the request.
    pub body: Value,
    /// `createdAt` of the order, shortly before the commit.
    pub created_at: DateTime<Utc>,
    /// Whether the customer has cancelled it. No pharmacist works on it, so it is cancelled.
    pub cancelled: bool,
}

impl Order {
    /// The number of its events: its creation, and the request to cancel it with the answer.
    pub fn events(&self) -> usize {
        if self.cancelled { 3 } else { 1 }
    }
}

/// The number of events of these orders.
pub fn events(orders: &[Order]) -> usize {
    orders.iter().map(Order::events).sum()
}

/// The body of order number `number`. Some orders have medications, some have a note.
pub fn order_body(number: usize) -> Value {
    let items: Vec<_> = (1..=1 + number % 3)
        .map(|item| {
            let mut item_body = json!({"productId": 100 * item + number % 7, "quantity": 1 + number % 5});
            if (number + item).is_multiple_of(3) {
                let display = number.is_multiple_of(2).then_some("Παρακεταμόλη");
                item_body["medication"] = json!({"system": "http://snomed.info/sct", "code": "387517004", "display": display});
            }
            item_body
        })
        .collect();
    let mut body = json!({"customerName": format!("Customer {number} Žižka"), "items": items});
    if number % 4 == 1 {
        body["note"] = json!("Please ring twice.\nThe bell is quiet.");
    }
    body
}
