use super::{CancelReason, StatusName};
use crate::Timestamp;

/// What became of the wish to cancel an order. The pharmacy decides; a customer can ask once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Cancellation {
    /// The customer asks for it, and the pharmacy has not answered yet.
    Requested {
        /// Why.
        reason: CancelReason,
        /// When it was requested.
        at: Timestamp,
    },
    /// The pharmacy has declined it.
    Declined {
        /// When.
        at: Timestamp,
    },
    /// The order is cancelled. This is final.
    Granted {
        /// Why.
        reason: CancelReason,
        /// When.
        at: Timestamp,
    },
}

/// Why nobody can ask to cancel an order any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotCancel {
    /// Its status is final.
    #[error("an order with status {0} cannot be cancelled")]
    Final(StatusName),
    /// The pharmacy has declined it before.
    #[error("the pharmacy has declined to cancel the order")]
    Declined,
}
