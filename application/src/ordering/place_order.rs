use std::fmt::Write as _;

use domain::ordering::{EventStamp, MedicationCoding, NewOrder, Order};

use super::{Cause, Fingerprint, IdempotencyKey, Orders, SaveError, Saved};
use crate::StoreError;

/// The command to place an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceOrder {
    /// What is asked for, under a fresh id.
    pub order: NewOrder,
    /// The key by which the client marks repeats.
    pub key: Option<IdempotencyKey>,
}

/// Why no order was placed.
#[derive(Debug, thiserror::Error)]
pub enum PlaceOrderError {
    /// The key belongs to a request that asked for something else.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The id is taken, which fresh ids never are.
    #[error("an order with this id exists")]
    IdTaken,
    /// The store failed. With a key, sending the same request again is safe.
    #[error("the order could not be stored")]
    Store(#[from] StoreError),
}

/// Places an order: it is stored together with its `OrderCreated` event before this returns.
///
/// # Errors
/// When the key was used for another request, the id is taken, or the store fails.
pub async fn place_order(
    orders: &impl Orders,
    command: PlaceOrder,
    event_stamp: EventStamp,
) -> Result<Saved, PlaceOrderError> {
    let cause = match command.key {
        Some(key) => Cause::Request(key, fingerprint(&command.order)),
        None => Cause::Unkeyed,
    };
    let order = Order::place(command.order, event_stamp);
    orders.save(order, cause).await.map_err(|error| match error {
        SaveError::KeyReused => PlaceOrderError::KeyReused,
        SaveError::VersionConflict => PlaceOrderError::IdTaken,
        SaveError::Store(error) => error.into(),
    })
}

/// A line for each thing that was said, none for what was not: a request that says nothing of what
/// could be said later keeps its fingerprint. Only a note may have several lines; it comes last, so
/// that whatever it holds, it cannot be taken for anything else.
fn fingerprint(order: &NewOrder) -> Fingerprint {
    let mut request = String::from("place order\n");
    for item in order.items.as_slice() {
        let _ = writeln!(request, "{} x {}", item.product_id, item.quantity);
        if let Some(MedicationCoding { system, code, display }) = &item.medication {
            let _ = writeln!(request, "is {system} {code}");
            if let Some(display) = display {
                let _ = writeln!(request, "called {display}");
            }
        }
    }
    let _ = write!(request, "for {}", order.customer_name);
    if let Some(note) = &order.note {
        let _ = write!(request, "\nnote {note}");
    }
    Fingerprint::of(&request)
}
