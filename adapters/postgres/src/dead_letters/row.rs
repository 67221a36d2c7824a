use application::StoreError;
use application::dead_letters::{
    DeadLetterNumber, DeadLetterState, DeadLetterStatus, KeptDeadLetter,
};
use application::published::RawRecord;
use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::headers::{self, Header};

/// A row of the table `dead_letters` of a context.
#[derive(Debug)]
pub(super) struct DeadLetterRow {
    pub(super) id: i64,
    pub(super) topic: String,
    pub(super) topic_partition: i32,
    pub(super) topic_offset: i64,
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Option<Vec<u8>>,
    pub(super) reason: String,
    pub(super) state: String,
    pub(super) kept_at: DateTime<Utc>,
    pub(super) settled_at: Option<DateTime<Utc>>,
    pub(super) timestamp_ms: Option<i64>,
    pub(super) headers: Option<Json<Vec<Header>>>,
}

impl DeadLetterRow {
    pub(super) fn into_kept(
        self,
    ) -> Result<KeptDeadLetter<DeadLetterNumber, RawRecord>, StoreError> {
        let state = state(&self.state, self.settled_at)?;
        let content = RawRecord {
            topic: self.topic,
            partition: self.topic_partition,
            offset: self.topic_offset,
            timestamp_ms: self.timestamp_ms,
            key: self.key,
            value: self.value,
            headers: headers::from_json(self.headers)?,
        };
        Ok(KeptDeadLetter {
            id: DeadLetterNumber::new(self.id),
            content,
            reason: self.reason,
            kept_at: self.kept_at.into(),
            state,
        })
    }
}

/// The state with this name, settled at this time.
///
/// # Errors
/// When there is no such state, or its time is missing, or an open one has a time.
pub fn state(name: &str, settled_at: Option<DateTime<Utc>>) -> Result<DeadLetterState, StoreError> {
    let status: DeadLetterStatus =
        name.parse().map_err(|error| StoreError::Broken(Box::new(error)))?;
    match (status, settled_at) {
        (DeadLetterStatus::Open, None) => Ok(DeadLetterState::Open),
        (DeadLetterStatus::Retried, Some(at)) => Ok(DeadLetterState::Retried { at: at.into() }),
        (DeadLetterStatus::Discarded, Some(at)) => Ok(DeadLetterState::Discarded { at: at.into() }),
        _ => Err(StoreError::Broken(
            format!("a dead letter in state {name} has settled_at = {settled_at:?}").into(),
        )),
    }
}
