use std::time::Duration;

/// What a provider answered when it accepted a notification: a short excerpt, such as `250 OK` or
/// `HTTP 204`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer(pub String);

/// Why a notification was not sent. The texts are for operators and contain no personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The provider cannot be reached. This is an outage and not an attempt.
    #[error("the provider cannot be reached: {0}")]
    Unreachable(String),
    /// The provider does not accept it now. Retry later.
    #[error("the provider cannot accept the notification now: {reason}")]
    Later {
        /// What the provider answered.
        reason: String,
        /// How long the provider asks to wait.
        after: Option<Duration>,
    },
    /// The provider rejects this notification. Do not retry.
    #[error("the provider rejects the notification: {0}")]
    Never(String),
    /// The receiver does not want notifications any more.
    #[error("the receiver wants no more notifications: {0}")]
    Gone(String),
}
