use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use domain::{EventId, OrderId, OrderVersion, Timestamp};

use super::{ChannelName, EventType};

/// A notification: one event, told on one channel to one destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The number of the notification. Later ones have higher numbers.
    pub id: NotificationId,
    /// The event.
    pub event_id: EventId,
    /// The channel.
    pub channel: ChannelName,
    /// The receiver: see [`ChannelName`].
    pub destination: String,
    /// The order.
    pub order_id: OrderId,
    /// The order's version after the event.
    pub order_version: OrderVersion,
    /// What happened. `None` if an earlier version recorded the notification.
    pub event_type: Option<EventType>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Why the order was rejected or cancelled. Only on the channel `email`.
    pub reason: Option<String>,
    /// How many attempts were made to send it.
    pub attempts: u32,
    /// The state of sending it.
    pub state: NotificationState,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

/// The number of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NotificationId(i64);

/// The error for a text that is not the number of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number")]
pub struct NotificationIdError;

/// The state of sending a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotificationState {
    /// It is waiting to be sent, or is being sent.
    Pending {
        /// When it is sent, or when its lease runs out.
        due_at: Timestamp,
        /// Why the last attempt failed.
        last_error: Option<String>,
    },
    /// The receiver has accepted it.
    Sent {
        /// When.
        at: Timestamp,
    },
    /// Sending failed permanently. It is not retried.
    Failed {
        /// Why.
        reason: String,
    },
    /// It is not to be sent.
    Suppressed {
        /// Why.
        reason: String,
    },
}

/// A [`NotificationState`] without its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StateName {
    /// [`NotificationState::Pending`].
    Pending,
    /// [`NotificationState::Sent`].
    Sent,
    /// [`NotificationState::Failed`].
    Failed,
    /// [`NotificationState::Suppressed`].
    Suppressed,
}

/// The error for a text that is not the name of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be `pending`, `sent`, `failed` or `suppressed`")]
pub struct StateNameError;

/// One attempt to send a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When it began.
    pub began: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// Whether the receiver accepted the notification.
    pub accepted: bool,
    /// A short excerpt of the answer, or why there was none. No personal data.
    pub answer: String,
}

impl NotificationId {
    /// The notification with this number.
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for NotificationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for NotificationId {
    type Err = NotificationIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number: i64 = text.parse().map_err(|_| NotificationIdError)?;
        // Rust also parses `+5` and `05`, which are not numbers in JSON.
        if number.to_string() == text { Ok(Self(number)) } else { Err(NotificationIdError) }
    }
}

impl NotificationState {
    /// The state without its data.
    #[must_use]
    pub const fn name(&self) -> StateName {
        match self {
            Self::Pending { .. } => StateName::Pending,
            Self::Sent { .. } => StateName::Sent,
            Self::Failed { .. } => StateName::Failed,
            Self::Suppressed { .. } => StateName::Suppressed,
        }
    }
}

impl StateName {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Sent, Self::Failed, Self::Suppressed];

    /// The name used in the database and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Suppressed => "suppressed",
        }
    }
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for StateName {
    type Err = StateNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|name| name.as_str() == text).ok_or(StateNameError)
    }
}
