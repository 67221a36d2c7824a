use super::CancelReason;
use crate::Timestamp;

/// The status of an order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OrderStatus {
    /// It was placed and not cancelled.
    Created,
    /// It was cancelled. This is final.
    Cancelled {
        /// Why.
        reason: CancelReason,
        /// When.
        at: Timestamp,
    },
}
