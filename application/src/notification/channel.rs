use std::fmt;
use std::future::Future;
use std::str::FromStr;

use super::Notification;

/// A way to reach the customer.
pub trait Channel: Send + Sync {
    /// Which way it is.
    fn name(&self) -> ChannelName;

    /// Sends the notification; the wait MUST be bounded.
    ///
    /// It may be called again for a notification that was sent, after a crash: the event id is the
    /// idempotency key by which a provider recognises it.
    fn send(
        &self,
        notification: &Notification,
    ) -> impl Future<Output = Result<(), SendError>> + Send;
}

/// The ways to reach a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChannelName {
    /// The service's own log.
    Log,
}

/// A name that no channel has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of: log")]
pub struct ChannelNameError;

impl ChannelName {
    /// Its name in the database, the API and the settings.
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
    /// The provider cannot be reached or asks to wait; trying again later is right.
    #[error("the provider cannot take it now: {0}")]
    Later(String),
    /// The provider will never take it.
    #[error("the provider refuses it: {0}")]
    Never(String),
}
