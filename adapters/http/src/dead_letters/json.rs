use application::dead_letters::{
    ActOutcome, ActResult, DeadLetterStatus, KeptDeadLetter, RefusedEvent,
};
use application::published::{RawRecord, RecordHeader};
use domain::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::id::{DeadLetterId, IdJson};

/// One page of dead letters.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DeadLetterPage)]
pub(super) struct DeadLetterPageJson {
    /// The dead letters, oldest first
    pub(super) items: Vec<DeadLetterJson>,
    /// The `cursor` of the next page; null on the last page
    #[schema(required = true)]
    pub(super) next_cursor: Option<String>,
}

/// A record or event that could not be processed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = KeptDeadLetter)]
pub(super) struct DeadLetterJson {
    /// The id, for requests to retry or discard it
    id: IdJson,
    /// Whether it is open, was retried or was discarded
    state: DeadLetterStateJson,
    /// Why it could not be processed
    #[schema(example = "the value is not Avro")]
    reason: String,
    /// The event type; null if it is unknown
    #[schema(required = true, example = "OrderCreated")]
    event_type: Option<String>,
    /// When it was stored as a dead letter
    #[serde(serialize_with = "crate::timestamp")]
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    kept_at: Timestamp,
    /// When it was retried or discarded; null while it is open
    #[serde(serialize_with = "crate::optional_timestamp")]
    #[schema(required = true, value_type = Option<chrono::DateTime<chrono::Utc>>)]
    settled_at: Option<Timestamp>,
    /// The record that could not be consumed; absent if this is an event
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    record: Option<RecordJson>,
    /// The event that Kafka refused; absent if this is a record
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    event: Option<EventJson>,
}

/// The state of a dead letter
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DeadLetterState)]
pub(super) enum DeadLetterStateJson {
    /// Not retried or discarded yet
    Open,
    /// It was retried
    Retried,
    /// It was discarded
    Discarded,
}

/// A Kafka record. Bytes that are not UTF-8 are replaced by U+FFFD.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DeadRecord)]
pub(super) struct RecordJson {
    #[schema(example = "order-created-topic")]
    topic: String,
    partition: i32,
    offset: i64,
    /// The timestamp of the record; null if it has none or an invalid one
    #[serde(serialize_with = "crate::optional_timestamp")]
    #[schema(required = true, value_type = Option<chrono::DateTime<chrono::Utc>>)]
    made_at: Option<Timestamp>,
    #[schema(required = true)]
    key: Option<String>,
    /// Length of the value in bytes; null for a tombstone
    #[schema(required = true)]
    value_bytes: Option<usize>,
    headers: Vec<HeaderJson>,
}

/// A header of a record
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeadRecordHeader)]
pub(super) struct HeaderJson {
    #[schema(example = "ce_type")]
    name: String,
    #[schema(required = true, example = "orders.OrderCreated")]
    value: Option<String>,
}

/// An event in the outbox
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RefusedEvent)]
pub(super) struct EventJson {
    /// The id of the aggregate of the event, such as an order
    aggregate_id: Uuid,
    /// The version of the aggregate after the event
    #[schema(minimum = 1)]
    aggregate_version: i64,
}

/// The result of a request to retry or discard
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeadLetterReport)]
pub(super) struct ActReportJson {
    /// The outcome of each, in the sequence of the given ids, or oldest first
    pub(super) results: Vec<ActResultJson>,
    /// Whether there may be other dead letters that match
    pub(super) more: bool,
}

/// The outcome of one dead letter
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeadLetterResult)]
pub(super) struct ActResultJson {
    /// The id of the dead letter
    id: IdJson,
    outcome: OutcomeJson,
    /// Why it still cannot be processed; only with the outcome `stillDead`
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<String>,
}

/// The outcome of a dead letter
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DeadLetterOutcome)]
pub(super) enum OutcomeJson {
    /// The record was consumed, or the event is due to be published again
    Retried,
    /// It was discarded
    Discarded,
    /// It still cannot be processed, and stays open
    StillDead,
    /// There is no open dead letter with this id
    NotOpen,
}

/// The record or event of a dead letter, as the API shows it.
#[derive(Debug)]
pub struct DeadLetterContent {
    event_type: Option<String>,
    record: Option<RecordJson>,
    event: Option<EventJson>,
}

impl From<RawRecord> for DeadLetterContent {
    fn from(raw: RawRecord) -> Self {
        let event_type = raw.event_type().map(str::to_owned);
        let micros = raw.timestamp_ms.and_then(|millis| millis.checked_mul(1_000));
        let header = |RecordHeader { name, value }| HeaderJson { name, value: text(value) };
        let record = RecordJson {
            topic: raw.topic,
            partition: raw.partition,
            offset: raw.offset,
            // It may be any number.
            made_at: micros.and_then(|micros| Timestamp::from_micros(micros).ok()),
            key: text(raw.key),
            value_bytes: raw.value.map(|value| value.len()),
            headers: raw.headers.into_iter().map(header).collect(),
        };
        Self { event_type, record: Some(record), event: None }
    }
}

impl From<RefusedEvent> for DeadLetterContent {
    fn from(refused: RefusedEvent) -> Self {
        let RefusedEvent { aggregate_id, aggregate_version, event_type } = refused;
        let event = EventJson { aggregate_id, aggregate_version };
        Self { event_type: Some(event_type), record: None, event: Some(event) }
    }
}

fn text(bytes: Option<Vec<u8>>) -> Option<String> {
    bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

impl DeadLetterJson {
    pub(super) fn of<Id: DeadLetterId, C>(kept: KeptDeadLetter<Id, C>) -> Self
    where
        C: Into<DeadLetterContent>,
    {
        let DeadLetterContent { event_type, record, event } = kept.content.into();
        Self {
            id: IdJson(kept.id.to_json()),
            state: kept.state.status().into(),
            reason: kept.reason,
            event_type,
            kept_at: kept.kept_at,
            settled_at: kept.state.settled_at(),
            record,
            event,
        }
    }
}

impl From<DeadLetterStatus> for DeadLetterStateJson {
    fn from(status: DeadLetterStatus) -> Self {
        match status {
            DeadLetterStatus::Open => Self::Open,
            DeadLetterStatus::Retried => Self::Retried,
            DeadLetterStatus::Discarded => Self::Discarded,
        }
    }
}

impl<Id: DeadLetterId> From<ActResult<Id>> for ActResultJson {
    fn from(ActResult { id, outcome }: ActResult<Id>) -> Self {
        let (outcome, reason) = match outcome {
            ActOutcome::Retried => (OutcomeJson::Retried, None),
            ActOutcome::Discarded => (OutcomeJson::Discarded, None),
            ActOutcome::StillDead { reason } => (OutcomeJson::StillDead, Some(reason)),
            ActOutcome::NotOpen => (OutcomeJson::NotOpen, None),
        };
        Self { id: IdJson(id.to_json()), outcome, reason }
    }
}
