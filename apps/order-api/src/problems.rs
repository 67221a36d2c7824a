//! How the use cases' refusals are told to a client.

use adapter_http::{Problem, ProblemType};
use application::ordering::{CancelOrderError, PlaceOrderError};
use domain::OrderId;

/// Nothing was placed.
pub(crate) fn not_placed(error: PlaceOrderError) -> Problem {
    match error {
        PlaceOrderError::KeyReused => key_reused(),
        PlaceOrderError::IdTaken => Problem::internal(error),
        PlaceOrderError::Store(error) => Problem::from(error),
    }
}

/// Nothing was cancelled.
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

/// No order is known under this id.
pub(crate) fn no_such_order(id: OrderId) -> Problem {
    Problem::new(ProblemType::NotFound, format!("there is no order {id}"))
}

fn key_reused() -> Problem {
    let detail = "the Idempotency-Key belongs to a request that asked for something else";
    Problem::new(ProblemType::IdempotencyKeyReused, detail)
}
