use super::CancelReason;
use crate::Timestamp;

/// Where an order stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OrderStatus {
    /// It was placed and stands.
    Created,
    /// It was called off, which is final.
    Cancelled {
        /// Why.
        reason: CancelReason,
        /// When.
        at: Timestamp,
    },
}
