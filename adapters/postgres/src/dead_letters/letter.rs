use std::fmt;
use std::str::FromStr;

use application::StoreError;
use application::published::{DeadLetter, RawRecord};
use chrono::{DateTime, Utc};
use domain::Timestamp;
use sqlx::types::Json;

use super::headers::{self, Header};

/// A dead letter as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptDeadLetter {
    /// The number people call it by.
    pub id: i64,
    /// The record and why it had no effect.
    pub letter: DeadLetter,
    /// What has become of it.
    pub state: DeadLetterState,
    /// Since when it is kept.
    pub kept_at: Timestamp,
}

/// What has become of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadLetterState {
    /// Nobody has dealt with it.
    Open,
    /// Its record was taken in after all.
    Retried,
    /// Its record is to have no effect.
    Discarded,
}

/// A text that is no state of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of: open, retried, discarded")]
pub struct DeadLetterStateError;

impl DeadLetterState {
    /// Its name in the database and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Retried => "retried",
            Self::Discarded => "discarded",
        }
    }
}

impl fmt::Display for DeadLetterState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DeadLetterState {
    type Err = DeadLetterStateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "open" => Ok(Self::Open),
            "retried" => Ok(Self::Retried),
            "discarded" => Ok(Self::Discarded),
            _ => Err(DeadLetterStateError),
        }
    }
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct LetterRow {
    id: i64,
    topic: String,
    topic_partition: i32,
    topic_offset: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    reason: String,
    state: String,
    kept_at: DateTime<Utc>,
    timestamp_ms: Option<i64>,
    headers: Option<Json<Vec<Header>>>,
}

impl LetterRow {
    pub(super) fn into_letter(self) -> Result<KeptDeadLetter, StoreError> {
        let record = RawRecord {
            topic: self.topic,
            partition: self.topic_partition,
            offset: self.topic_offset,
            timestamp_ms: self.timestamp_ms,
            key: self.key,
            value: self.value,
            headers: headers::from_json(self.headers)?,
        };
        Ok(KeptDeadLetter {
            id: self.id,
            letter: DeadLetter { record, reason: self.reason },
            state: self
                .state
                .parse()
                .map_err(|error: DeadLetterStateError| StoreError::Broken(Box::new(error)))?,
            kept_at: self.kept_at.into(),
        })
    }
}
