//! Maps the errors of the use cases to problems.

use adapter_http::{Problem, ProblemType};
use application::ordering::{PlaceOrderError, RequestCancellationError};
use domain::OrderId;
use domain::ordering::CannotCancel;

/// The problem for an order that was not placed.
pub(crate) fn not_placed(error: PlaceOrderError) -> Problem {
    match error {
        PlaceOrderError::KeyReused => key_reused(),
        PlaceOrderError::IdTaken => Problem::internal(error),
        PlaceOrderError::Store(error) => Problem::from(error),
    }
}

/// The problem for a request to cancel an order that was not stored.
pub(crate) fn not_requested(id: OrderId, error: RequestCancellationError) -> Problem {
    match error {
        RequestCancellationError::NotFound => no_such_order(id),
        RequestCancellationError::OtherVersion { .. } => {
            Problem::new(ProblemType::PreconditionFailed, error.to_string())
        }
        RequestCancellationError::CannotCancel(why) => not_cancellable(why),
        RequestCancellationError::KeyReused => key_reused(),
        RequestCancellationError::Contended => {
            Problem::new(ProblemType::Conflict, error.to_string())
        }
        RequestCancellationError::Store(error) => Problem::from(error),
    }
}

/// The problem for an order that cannot be cancelled any more.
pub(crate) fn not_cancellable(why: CannotCancel) -> Problem {
    Problem::new(ProblemType::NotCancellable, why.to_string())
}

/// The problem for an unknown order.
pub(crate) fn no_such_order(id: OrderId) -> Problem {
    Problem::new(ProblemType::NotFound, format!("there is no order {id}"))
}

fn key_reused() -> Problem {
    let detail = "the Idempotency-Key was used for a different request; use a new key";
    Problem::new(ProblemType::IdempotencyKeyReused, detail)
}
