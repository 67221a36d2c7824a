use super::{Rejection, WorkStatus};
use crate::{EventId, OrderId, OrderVersion, Timestamp};

/// A change of the pharmacy's work on an order, recorded by [`Work`](super::Work).
///
/// This event is private to the pharmacy. Other contexts receive the published event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PharmacyEvent {
    /// The id of the event.
    pub id: EventId,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The order.
    pub order_id: OrderId,
    /// The version of the work after the event. Versions are contiguous, starting at 1. They are
    /// independent of the versions of the order in ordering.
    pub version: OrderVersion,
    /// What happened.
    pub fact: PharmacyFact,
}

/// What can happen to an order in the pharmacy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PharmacyFact {
    /// A pharmacist has confirmed it.
    Confirmed,
    /// Its preparation has started.
    PreparationStarted,
    /// It is ready for the customer.
    Ready,
    /// It was handed to the customer.
    Dispensed,
    /// The pharmacy has refused to dispense it.
    Rejected(Rejection),
    /// It was cancelled for the customer.
    Cancelled {
        /// The version of the order that asked for the cancellation.
        order_version: OrderVersion,
    },
    /// It could not be cancelled any more.
    CancellationDeclined {
        /// The version of the order that asked for the cancellation.
        order_version: OrderVersion,
    },
}

impl PharmacyFact {
    /// The status after this event; `None` if it does not change the status.
    #[must_use]
    pub fn status(&self) -> Option<WorkStatus> {
        match self {
            Self::Confirmed => Some(WorkStatus::Confirmed),
            Self::PreparationStarted => Some(WorkStatus::InPreparation),
            Self::Ready => Some(WorkStatus::Ready),
            Self::Dispensed => Some(WorkStatus::Dispensed),
            Self::Rejected(rejection) => Some(WorkStatus::Rejected(rejection.clone())),
            Self::Cancelled { .. } => Some(WorkStatus::Cancelled),
            Self::CancellationDeclined { .. } => None,
        }
    }
}
