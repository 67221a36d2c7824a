//! What was ordered.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// An order that was confirmed, and so what the rest of the system is to tell of it.
#[derive(Debug, Clone)]
pub struct Order {
    /// Its id.
    pub id: String,
    /// What was asked for.
    pub wish: Value,
    /// When the API took it: a little before the commit.
    pub created_at: DateTime<Utc>,
    /// Whether it was called off again.
    pub cancelled: bool,
}

impl Order {
    /// How many events it has recorded.
    pub fn events(&self) -> usize {
        1 + usize::from(self.cancelled)
    }
}

/// All the events these orders have recorded.
pub fn events(orders: &[Order]) -> usize {
    orders.iter().map(Order::events).sum()
}

/// What the `number`th customer asks for. Some say what medication they mean, some have something to say.
pub fn wish(number: usize) -> Value {
    let items: Vec<_> = (1..=1 + number % 3)
        .map(|item| {
            let mut wish = json!({"productId": 100 * item + number % 7, "quantity": 1 + number % 5});
            if (number + item).is_multiple_of(3) {
                let display = number.is_multiple_of(2).then_some("Παρακεταμόλη");
                wish["medication"] = json!({"system": "http://snomed.info/sct", "code": "387517004", "display": display});
            }
            wish
        })
        .collect();
    let mut wish = json!({"customerName": format!("Customer {number} Žižka"), "items": items});
    if number % 4 == 1 {
        wish["note"] = json!("Please ring twice.\nThe bell is quiet.");
    }
    wish
}
