use std::fmt;
use std::future::Future;
use std::str::FromStr;

use domain::Timestamp;

use super::{Answer, Claimed, SendError};

/// A way to send notifications.
pub trait Channel: Send + Sync {
    /// The name of the channel.
    fn name(&self) -> ChannelName;

    /// Sends the notification at this time. The wait MUST be bounded, and shorter than the lease.
    ///
    /// It may be called again for a notification that was already sent. The event id is the idempotency
    /// key with which the receiver detects the repeat.
    fn send(
        &self,
        claimed: &Claimed,
        at: Timestamp,
    ) -> impl Future<Output = Result<Sending, SendError>> + Send;
}

/// What became of a notification that did not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sending {
    /// It was written to the log. That is not an attempt that anybody looks up.
    Logged,
    /// The provider has accepted it.
    Accepted(Answer),
    /// It is not to be sent.
    Suppressed(Suppression),
}

/// Why a notification is not to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Suppression {
    /// The customer has no contact.
    #[error("the customer has no contact")]
    NoContact,
    /// The customer does not want this letter.
    #[error("the customer does not want this letter")]
    Declined,
    /// The webhook is disabled.
    #[error("the webhook is disabled")]
    Disabled,
}

/// The channels of notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChannelName {
    /// The log of the service. Each event has one such notification.
    Log,
    /// Letters to customers. The destination is the id of the customer.
    Email,
    /// Calls to other systems. The destination is the id of the webhook.
    Webhook,
}

/// The error for a text that is not the name of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be `log`, `email` or `webhook`")]
pub struct ChannelNameError;

impl ChannelName {
    /// All channels.
    pub const ALL: [Self; 3] = [Self::Log, Self::Email, Self::Webhook];

    /// The name used in the database, the API and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Email => "email",
            Self::Webhook => "webhook",
        }
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ChannelName {
    type Err = ChannelNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|name| name.as_str() == text).ok_or(ChannelNameError)
    }
}
