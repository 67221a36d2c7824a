use domain::ordering::{CancelReason, CannotCancel, Order};
use domain::{EventStamp, OrderId, OrderVersion, Outcome};

use super::{Cause, FindAnswerError, Fingerprint, IdempotencyKey, Orders, SaveError, Saved};
use crate::StoreError;

/// Maximum number of attempts when other writers change the order at the same time.
const ATTEMPTS: usize = 5;

/// The command to ask the pharmacy to cancel an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestCancellation {
    /// The order.
    pub id: OrderId,
    /// Why.
    pub reason: CancelReason,
    /// The order must be at one of these versions (`If-Match`). `None` allows every version; an
    /// empty list allows none.
    pub expected: Option<Vec<OrderVersion>>,
    /// The key with which the client marks retries of the same request.
    pub key: Option<IdempotencyKey>,
}

/// Why nobody asked the pharmacy to cancel an order.
#[derive(Debug, thiserror::Error)]
pub enum RequestCancellationError {
    /// No order has this id.
    #[error("the order does not exist")]
    NotFound,
    /// The order is at a version that the client does not expect.
    #[error("the order is at version {actual}")]
    OtherVersion {
        /// The current version.
        actual: OrderVersion,
    },
    /// The pharmacy cannot cancel it any more.
    #[error(transparent)]
    CannotCancel(#[from] CannotCancel),
    /// The key was used for a different request.
    #[error("the idempotency key was used for a different request")]
    KeyReused,
    /// Other writers kept changing the order. Retry later.
    #[error("other requests are changing the order")]
    Contended,
    /// The store failed. It is safe to retry.
    #[error("the order could not be stored")]
    Store(#[from] StoreError),
}

/// Asks the pharmacy to cancel an order. If the order is already cancelled, or was already asked for, it
/// is returned unchanged.
///
/// # Errors
/// When the order does not exist, it is at none of the versions in `expected`, it cannot be cancelled any
/// more, the key was used for another request, other writers keep changing the order, or the store fails.
pub async fn request_cancellation(
    orders: &impl Orders,
    command: RequestCancellation,
    event_stamp: EventStamp,
) -> Result<Order, RequestCancellationError> {
    let cause = match command.key {
        Some(key) => {
            // Earlier versions have stored fingerprints of this text.
            let request = format!("cancel order\n{}\nfor {}", command.id, command.reason);
            Cause::Request(key, Fingerprint::of(&request))
        }
        None => Cause::Unkeyed,
    };
    for _ in 0..ATTEMPTS {
        let found = orders.find(command.id).await?;
        // Look up the answer after reading the order, not before. A concurrent retry of this
        // request saves its change and its answer together. If the order read above has that
        // change, the answer is found here, and the change is not mistaken for a change by somebody
        // else.
        if let Some(answered) = orders.find_answer(&cause).await? {
            return Ok(answered);
        }
        let mut order = found.ok_or(RequestCancellationError::NotFound)?;
        if command.expected.as_ref().is_some_and(|expected| !expected.contains(&order.version())) {
            return Err(RequestCancellationError::OtherVersion { actual: order.version() });
        }
        let outcome = order.request_cancellation(command.reason.clone(), event_stamp)?;
        if outcome == Outcome::AlreadyApplied && cause == Cause::Unkeyed {
            return Ok(order);
        }
        // Save even if nothing changed: this stores the key, so it cannot be used for another
        // request.
        match orders.save(order, cause.clone()).await {
            Ok(Saved::Stored(order) | Saved::AnsweredBefore(order)) => return Ok(order),
            Err(SaveError::VersionConflict) => {}
            Err(SaveError::KeyReused) => return Err(RequestCancellationError::KeyReused),
            Err(SaveError::Store(error)) => return Err(error.into()),
        }
    }
    Err(RequestCancellationError::Contended)
}

impl From<FindAnswerError> for RequestCancellationError {
    fn from(error: FindAnswerError) -> Self {
        match error {
            FindAnswerError::KeyReused => Self::KeyReused,
            FindAnswerError::Store(error) => Self::Store(error),
        }
    }
}
