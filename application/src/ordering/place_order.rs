use std::fmt::Write as _;

use domain::EventStamp;
use domain::ordering::{MedicationCoding, NewOrder, Order, OrderItem};

use super::{Cause, Fingerprint, IdempotencyKey, Orders, SaveError, Saved};
use crate::StoreError;

/// The command to place an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceOrder {
    /// The data of the order, with a new id.
    pub order: NewOrder,
    /// The key with which the client marks retries of the same request.
    pub key: Option<IdempotencyKey>,
}

/// Why no order was placed.
#[derive(Debug, thiserror::Error)]
pub enum PlaceOrderError {
    /// The key was used for a different request.
    #[error("the idempotency key was used for a different request")]
    KeyReused,
    /// An order with this id already exists. This never happens with new ids.
    #[error("an order with this id already exists")]
    IdTaken,
    /// The store failed. With a key, it is safe to retry the same request.
    #[error("the order could not be stored")]
    Store(#[from] StoreError),
}

/// Places an order. The order and its `OrderCreated` event are stored before this returns.
///
/// # Errors
/// When the key was used for another request, the id already exists, or the store fails.
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

/// The fingerprint of a request to place this order.
///
/// Each value is a line; an absent optional value has no line. So the fingerprint of an existing
/// request stays the same when new optional values are added. The note is last because it is the
/// only value with several lines: its lines cannot be confused with other values.
fn fingerprint(order: &NewOrder) -> Fingerprint {
    let NewOrder { id: _, customer_id, customer_name, items, note } = order;
    let mut request = String::from("place order\n");
    for OrderItem { product_id, quantity, medication } in items.as_slice() {
        let _ = writeln!(request, "{product_id} x {quantity}");
        if let Some(MedicationCoding { system, code, display }) = medication {
            let _ = writeln!(request, "is {system} {code}");
            if let Some(display) = display {
                let _ = writeln!(request, "called {display}");
            }
        }
    }
    if let Some(customer_id) = customer_id {
        let _ = writeln!(request, "by {customer_id}");
    }
    let _ = write!(request, "for {customer_name}");
    if let Some(note) = note {
        let _ = write!(request, "\nnote {note}");
    }
    Fingerprint::of(&request)
}
