use std::future::Future;

use domain::{EventId, Timestamp};
use uuid::Uuid;

use crate::StoreError;

/// Maximum total size of the payloads in a claim. One more record per lane may exceed it.
///
/// Most events are smaller than 1 kB, so the number of records usually limits a claim. The largest
/// events have about 50 kB; with those, the size limits it.
pub const CLAIM_BYTES: usize = 1024 * 1024;

/// Port to the outbox: the log of events that were stored with their aggregates and have to be
/// published.
pub trait Outbox: Send + Sync {
    /// The type of a claim.
    type Claim: Claim;

    /// Claims up to `limit` records that are due, from one or more lanes. `None` if none is due, or
    /// if other workers have claimed all that are due.
    ///
    /// The payloads of a claim MUST NOT have more than [`CLAIM_BYTES`] in total, not counting the
    /// last record of each lane. This holds for new records and for records that are retried.
    ///
    /// Until the claim ends, other claims MUST NOT contain records of the same lanes. Records of
    /// one aggregate MUST be in the sequence of their versions. A record MUST NOT be claimed if an
    /// earlier record of the same aggregate is neither published, refused nor in the same claim.
    fn claim(
        &self,
        limit: usize,
    ) -> impl Future<Output = Result<Option<Self::Claim>, StoreError>> + Send;
}

/// Records that this relay has claimed for publishing.
///
/// Dropping a claim without [`settle`](Self::settle) releases its records unchanged.
pub trait Claim: Send {
    /// The records, grouped by lane, in the sequence of their positions.
    fn records(&self) -> &[OutboxRecord];

    /// Whether more records may be due than this claim contains, so that another worker can claim
    /// them.
    fn more_may_be_due(&self) -> bool {
        true
    }

    /// Stores the verdict on each record, in the same sequence, and ends the claim.
    ///
    /// A record without a verdict counts as [`Verdict::Unsent`].
    fn settle(self, verdicts: &[Verdict]) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// An event in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRecord {
    /// The lane of its aggregate.
    pub lane: i16,
    /// Its position in the lane.
    pub position: i64,
    /// The id of the event.
    pub event_id: EventId,
    /// The aggregate that it is about.
    pub aggregate_id: Uuid,
    /// The version of the aggregate after the event.
    pub aggregate_version: i64,
    /// The event's type, such as `OrderCreated`.
    pub event_type: String,
    /// The fingerprint of the schema that the payload was encoded with.
    pub schema_fingerprint: Vec<u8>,
    /// The event encoded in Avro, without the header of the Confluent wire format.
    pub payload: Vec<u8>,
    /// The headers of the Kafka record.
    pub headers: Vec<(String, String)>,
    /// When the event happened.
    pub occurred_at: Timestamp,
}

/// The result of publishing a record, as the outbox stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Kafka has acknowledged it.
    Published,
    /// It was not published, for a reason that is not the record. It stays due.
    Unsent,
    /// Publishing failed. It is retried after a delay, which grows with each failure.
    Failed(String),
    /// It can never be published. It becomes a dead letter for an operator.
    Refused(String),
}
