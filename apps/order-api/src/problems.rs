//! Maps the errors of the use cases to problems.

use adapter_http::{Problem, ProblemType};
use application::ordering::{CancelOrderError, PlaceOrderError};
use domain::OrderId;

/// The problem for an order that was not placed.
pub(crate) fn not_placed(error: PlaceOrderError) -> Problem {
    match error {
        PlaceOrderError::KeyReused => key_reused(),
        PlaceOrderError::IdTaken => Problem::internal(error),
        PlaceOrderError::Store(error) => Problem::from(error),
    }
}

/// The problem for an order that was not cancelled.
pub(crate) fn not_cancelled(id: OrderId, error: CancelOrderError) -> Problem {
    match error {
        CancelOrderError::NotFound => no_such_order(id),
        CancelOrderError::OtherVersion { .. } => {
            Problem::new(ProblemType::PreconditionFailed, error.to_string())
        }
        CancelOrderError::KeyReused => key_reused(),
        CancelOrderError::Contended => Problem::new(ProblemType::Conflict, error.to_string()),
        CancelOrderError::Store(error) => Problem::from(error),
    }
}

/// The problem for an unknown order.
pub(crate) fn no_such_order(id: OrderId) -> Problem {
    Problem::new(ProblemType::NotFound, format!("there is no order {id}"))
}

fn key_reused() -> Problem {
    let detail = "the Idempotency-Key was used for a different request; use a new key";
    Problem::new(ProblemType::IdempotencyKeyReused, detail)
}
