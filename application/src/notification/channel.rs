use std::fmt;
use std::future::Future;
use std::str::FromStr;

use super::Notification;

/// Port for a provider that delivers notifications, such as email.
pub trait Channel: Send + Sync {
    /// The name of the channel.
    fn name(&self) -> ChannelName;

    /// Sends the notification. The wait MUST be bounded.
    ///
    /// After a crash it may be called again for a notification that was already sent. The event id
    /// is the idempotency key with which the provider detects the repeat.
    fn send(
        &self,
        notification: &Notification,
    ) -> impl Future<Output = Result<(), SendError>> + Send;
}

/// The channels through which a customer can be notified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChannelName {
    /// The log of the service.
    Log,
}

/// The error for a text that is not the name of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of: log")]
pub struct ChannelNameError;

impl ChannelName {
    /// The name used in the database, the API and the settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
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
        match text {
            "log" => Ok(Self::Log),
            _ => Err(ChannelNameError),
        }
    }
}

/// Why a notification was not sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The provider is unavailable or asks to wait. Retry later.
    #[error("the provider cannot accept the notification now: {0}")]
    Later(String),
    /// The provider rejects this notification. Do not retry.
    #[error("the provider rejects the notification: {0}")]
    Never(String),
}
