use std::fmt;
use std::str::FromStr;

use domain::Timestamp;
use uuid::Uuid;

/// A dead letter as it is kept: what could not be processed, why, and what was done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptDeadLetter<Id, Content> {
    /// Its id, under which it is retried or discarded.
    pub id: Id,
    /// What could not be processed: a record of a topic, or an event of the outbox.
    pub content: Content,
    /// Why not, for the person who looks at it.
    pub reason: String,
    /// When it was kept.
    pub kept_at: Timestamp,
    /// What was done about it.
    pub state: DeadLetterState,
}

/// What was done about a dead letter, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadLetterState {
    /// Nothing yet.
    Open,
    /// It was retried: a record has been consumed, an event is to be published again.
    Retried {
        /// When.
        at: Timestamp,
    },
    /// It was discarded: its content is to have no effect.
    Discarded {
        /// When.
        at: Timestamp,
    },
}

/// The state of a dead letter without its time, as a filter and as a name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeadLetterStatus {
    /// See [`DeadLetterState::Open`].
    #[default]
    Open,
    /// See [`DeadLetterState::Retried`].
    Retried,
    /// See [`DeadLetterState::Discarded`].
    Discarded,
}

/// A text that is no status of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of: open, retried, discarded")]
pub struct DeadLetterStatusError;

impl DeadLetterState {
    /// The state without its time.
    #[must_use]
    pub const fn status(self) -> DeadLetterStatus {
        match self {
            Self::Open => DeadLetterStatus::Open,
            Self::Retried { .. } => DeadLetterStatus::Retried,
            Self::Discarded { .. } => DeadLetterStatus::Discarded,
        }
    }

    /// When it was retried or discarded; `None` while it is open.
    #[must_use]
    pub const fn settled_at(self) -> Option<Timestamp> {
        match self {
            Self::Open => None,
            Self::Retried { at } | Self::Discarded { at } => Some(at),
        }
    }
}

impl DeadLetterStatus {
    /// Its name in tables, on the command line and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Retried => "retried",
            Self::Discarded => "discarded",
        }
    }
}

impl fmt::Display for DeadLetterStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DeadLetterStatus {
    type Err = DeadLetterStatusError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "open" => Ok(Self::Open),
            "retried" => Ok(Self::Retried),
            "discarded" => Ok(Self::Discarded),
            _ => Err(DeadLetterStatusError),
        }
    }
}

/// The number of a consumer's dead letter; it ascends with time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeadLetterNumber(i64);

/// A text that is no number of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the number of a dead letter, such as 17")]
pub struct DeadLetterNumberError;

impl DeadLetterNumber {
    /// The dead letter of this number.
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number itself.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for DeadLetterNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for DeadLetterNumber {
    type Err = DeadLetterNumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| DeadLetterNumberError)
    }
}

/// An event of the outbox that Kafka refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedEvent {
    /// The aggregate that it is about.
    pub aggregate_id: Uuid,
    /// The version of the aggregate after the event.
    pub aggregate_version: i64,
    /// Its type, such as `OrderCreated`.
    pub event_type: String,
}
