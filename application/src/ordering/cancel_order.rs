use domain::ordering::{CancelReason, EventStamp, Order};
use domain::{OrderId, OrderVersion, Outcome};

use super::{Cause, FindAnswerError, Fingerprint, IdempotencyKey, Orders, SaveError, Saved};
use crate::StoreError;

/// How often a cancellation is tried again when somebody else changes the order meanwhile.
const ATTEMPTS: usize = 5;

/// The command to call an order off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelOrder {
    /// Which order.
    pub id: OrderId,
    /// Why.
    pub reason: CancelReason,
    /// The versions of which the client insists on one (`If-Match`); none of them if it has seen no
    /// version that can be.
    pub expected: Option<Vec<OrderVersion>>,
    /// The key by which the client marks repeats.
    pub key: Option<IdempotencyKey>,
}

/// Why an order was not cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelOrderError {
    /// No order has this id.
    #[error("there is no such order")]
    NotFound,
    /// The order is at another version than the client insists on.
    #[error("the order is at version {actual}")]
    OtherVersion {
        /// The version it is at.
        actual: OrderVersion,
    },
    /// The key belongs to a request that asked for something else.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// Others kept changing the order; trying again is right.
    #[error("the order is being changed by others")]
    Contended,
    /// The store failed. Cancelling again is safe.
    #[error("the order could not be stored")]
    Store(#[from] StoreError),
}

/// Cancels an order. An order that is cancelled already is answered as it stands.
///
/// # Errors
/// When there is no such order, it is at another version than `expected`, the key was used for
/// another request, others keep changing the order, or the store fails.
pub async fn cancel_order(
    orders: &impl Orders,
    command: CancelOrder,
    event_stamp: EventStamp,
) -> Result<Order, CancelOrderError> {
    let cause = match command.key {
        Some(key) => {
            let request = format!("cancel order\n{}\nfor {}", command.id, command.reason);
            Cause::Request(key, Fingerprint::of(&request))
        }
        None => Cause::Unkeyed,
    };
    for _ in 0..ATTEMPTS {
        let found = orders.find(command.id).await?;
        // After the order, not before: whoever sees the change a twin of this request has made
        // sees its answer too, and does not take the change for somebody else's.
        if let Some(answered) = orders.find_answer(&cause).await? {
            return Ok(answered);
        }
        let mut order = found.ok_or(CancelOrderError::NotFound)?;
        if command.expected.as_ref().is_some_and(|expected| !expected.contains(&order.version())) {
            return Err(CancelOrderError::OtherVersion { actual: order.version() });
        }
        let outcome = order.cancel(command.reason.clone(), event_stamp);
        if outcome == Outcome::AlreadyApplied && cause == Cause::Unkeyed {
            return Ok(order);
        }
        // A key is claimed even if nothing changed, or it could be used for another request.
        match orders.save(order, cause.clone()).await {
            Ok(Saved::Stored(order) | Saved::AnsweredBefore(order)) => return Ok(order),
            Err(SaveError::VersionConflict) => {}
            Err(SaveError::KeyReused) => return Err(CancelOrderError::KeyReused),
            Err(SaveError::Store(error)) => return Err(error.into()),
        }
    }
    Err(CancelOrderError::Contended)
}

impl From<FindAnswerError> for CancelOrderError {
    fn from(error: FindAnswerError) -> Self {
        match error {
            FindAnswerError::KeyReused => Self::KeyReused,
            FindAnswerError::Store(error) => Self::Store(error),
        }
    }
}
