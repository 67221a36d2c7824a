use std::fmt;
use std::str::FromStr;

use domain::notification::LetterKind;

use crate::published::Payload;

/// The type of an event, as webhooks and the API of notification name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventType {
    /// The order was placed.
    Created,
    /// The pharmacy has confirmed it.
    Confirmed,
    /// The customer can pick it up.
    Ready,
    /// The customer has it.
    Completed,
    /// The pharmacy does not dispense it.
    Rejected,
    /// The customer asked to cancel it.
    CancellationRequested,
    /// The pharmacy has declined to cancel it.
    CancellationDeclined,
    /// It was cancelled.
    Cancelled,
    /// The personal data on it were erased.
    Redacted,
}

/// The error for a text that is not the name of an event type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be `order.created`, `order.confirmed`, `order.ready`, `order.completed`, `order.rejected`, \
     `order.cancellation_requested`, `order.cancellation_declined`, `order.cancelled` or `order.redacted`"
)]
pub struct EventTypeError;

impl EventType {
    /// All types.
    pub const ALL: [Self; 9] = [
        Self::Created,
        Self::Confirmed,
        Self::Ready,
        Self::Completed,
        Self::Rejected,
        Self::CancellationRequested,
        Self::CancellationDeclined,
        Self::Cancelled,
        Self::Redacted,
    ];

    /// The type of a published event.
    #[must_use]
    pub const fn of(payload: &Payload) -> Self {
        match payload {
            Payload::OrderCreated { .. } => Self::Created,
            Payload::OrderConfirmed => Self::Confirmed,
            Payload::OrderReady => Self::Ready,
            Payload::OrderCompleted => Self::Completed,
            Payload::OrderRejected { .. } => Self::Rejected,
            Payload::OrderCancellationRequested { .. } => Self::CancellationRequested,
            Payload::OrderCancellationDeclined => Self::CancellationDeclined,
            Payload::OrderCancelled { .. } => Self::Cancelled,
            Payload::OrderRedacted => Self::Redacted,
        }
    }

    /// The name as a text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "order.created",
            Self::Confirmed => "order.confirmed",
            Self::Ready => "order.ready",
            Self::Completed => "order.completed",
            Self::Rejected => "order.rejected",
            Self::CancellationRequested => "order.cancellation_requested",
            Self::CancellationDeclined => "order.cancellation_declined",
            Self::Cancelled => "order.cancelled",
            Self::Redacted => "order.redacted",
        }
    }

    /// The status of the order after the event. `None` if the event does not say it: after a declined
    /// cancellation, the order has the status that it had before the request.
    #[must_use]
    pub const fn status(self) -> Option<&'static str> {
        match self {
            Self::Created => Some("created"),
            Self::Confirmed => Some("confirmed"),
            Self::Ready => Some("ready"),
            Self::Completed => Some("completed"),
            Self::Rejected => Some("rejected"),
            Self::CancellationRequested => Some("cancellation_requested"),
            Self::CancellationDeclined | Self::Redacted => None,
            Self::Cancelled => Some("cancelled"),
        }
    }

    /// The letter that tells customers of the event. Customers know of their own requests.
    #[must_use]
    pub const fn letter(self) -> Option<LetterKind> {
        match self {
            Self::Created => Some(LetterKind::Received),
            Self::Confirmed => Some(LetterKind::Confirmed),
            Self::Ready => Some(LetterKind::Ready),
            Self::Completed => Some(LetterKind::Completed),
            Self::Rejected => Some(LetterKind::Rejected),
            Self::CancellationRequested | Self::Redacted => None,
            Self::CancellationDeclined => Some(LetterKind::CancellationDeclined),
            Self::Cancelled => Some(LetterKind::Cancelled),
        }
    }

    /// Whether the order is finished: no letter about it follows.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Rejected | Self::Cancelled)
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EventType {
    type Err = EventTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|name| name.as_str() == text).ok_or(EventTypeError)
    }
}
