use std::fmt;
use std::str::FromStr;

use super::{CancelReason, Rejection};
use crate::Timestamp;

/// The status of an order, as readers see it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OrderStatus {
    /// It was placed.
    Created,
    /// The pharmacy has confirmed it.
    Confirmed,
    /// The customer can pick it up.
    Ready,
    /// The customer has it. This is final.
    Completed,
    /// The pharmacy does not dispense it. This is final.
    Rejected(Rejection),
    /// The customer asks to cancel it, and the pharmacy has not answered yet.
    CancellationRequested {
        /// Why.
        reason: CancelReason,
        /// When it was requested.
        at: Timestamp,
    },
    /// It was cancelled. This is final.
    Cancelled {
        /// Why.
        reason: CancelReason,
        /// When.
        at: Timestamp,
    },
}

/// An [`OrderStatus`] without its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatusName {
    /// [`OrderStatus::Created`].
    Created,
    /// [`OrderStatus::Confirmed`].
    Confirmed,
    /// [`OrderStatus::Ready`].
    Ready,
    /// [`OrderStatus::Completed`].
    Completed,
    /// [`OrderStatus::Rejected`].
    Rejected,
    /// [`OrderStatus::CancellationRequested`].
    CancellationRequested,
    /// [`OrderStatus::Cancelled`].
    Cancelled,
}

/// The error for a text that is not the name of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be `created`, `confirmed`, `ready`, `completed`, `rejected`, `cancellation_requested` or \
     `cancelled`"
)]
pub struct StatusNameError;

/// A change of the status of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusChange {
    /// The status that was reached.
    pub status: StatusName,
    /// When.
    pub at: Timestamp,
}

impl OrderStatus {
    /// The status without its data.
    #[must_use]
    pub const fn name(&self) -> StatusName {
        match self {
            Self::Created => StatusName::Created,
            Self::Confirmed => StatusName::Confirmed,
            Self::Ready => StatusName::Ready,
            Self::Completed => StatusName::Completed,
            Self::Rejected(_) => StatusName::Rejected,
            Self::CancellationRequested { .. } => StatusName::CancellationRequested,
            Self::Cancelled { .. } => StatusName::Cancelled,
        }
    }
}

impl StatusName {
    /// All statuses.
    pub const ALL: [Self; 7] = [
        Self::Created,
        Self::Confirmed,
        Self::Ready,
        Self::Completed,
        Self::Rejected,
        Self::CancellationRequested,
        Self::Cancelled,
    ];

    /// The name as a text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Confirmed => "confirmed",
            Self::Ready => "ready",
            Self::Completed => "completed",
            Self::Rejected => "rejected",
            Self::CancellationRequested => "cancellation_requested",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for StatusName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for StatusName {
    type Err = StatusNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|name| name.as_str() == text).ok_or(StatusNameError)
    }
}
