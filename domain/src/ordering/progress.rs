use super::{OrderStatus, Rejection, StatusName};

/// How far the pharmacy is with an order. It only goes forward; it may skip steps.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Progress {
    /// The pharmacy has not answered yet.
    Created,
    /// The pharmacy has confirmed it.
    Confirmed,
    /// The customer can pick it up.
    Ready,
    /// The customer has it. This is final.
    Completed,
    /// The pharmacy does not dispense it. This is final.
    Rejected(Rejection),
}

impl Progress {
    /// Whether the pharmacy can go on from here to `next`.
    #[must_use]
    pub fn leads_to(&self, next: &Self) -> bool {
        step(self.status().name()) < step(next.status().name())
    }

    /// Whether it never changes again.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Completed | Self::Rejected(_))
    }

    /// The status of an order with this progress and without a cancellation.
    #[must_use]
    pub fn status(&self) -> OrderStatus {
        match self {
            Self::Created => OrderStatus::Created,
            Self::Confirmed => OrderStatus::Confirmed,
            Self::Ready => OrderStatus::Ready,
            Self::Completed => OrderStatus::Completed,
            Self::Rejected(rejection) => OrderStatus::Rejected(rejection.clone()),
        }
    }
}

/// The place of a status in the pharmacy's work, or `None` if it is about a cancellation.
pub(super) const fn step(status: StatusName) -> Option<u8> {
    match status {
        StatusName::Created => Some(0),
        StatusName::Confirmed => Some(1),
        StatusName::Ready => Some(2),
        StatusName::Completed | StatusName::Rejected => Some(FINAL_STEP),
        StatusName::CancellationRequested | StatusName::Cancelled => None,
    }
}

/// The place of the statuses that never change.
pub(super) const FINAL_STEP: u8 = 3;
