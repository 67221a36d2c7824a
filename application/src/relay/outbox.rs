use std::future::Future;

use domain::{EventId, OrderId, OrderVersion, Timestamp};

use crate::StoreError;

/// The most bytes that the payloads of a claim have, beside one record that always fits.
///
/// The largest events have some 50 kB, most of them less than one: then the number of records ends a
/// claim, and with the largest its size.
pub const CLAIM_BYTES: usize = 1024 * 1024;

/// The log of events that were stored with their orders and are to be published.
pub trait Outbox: Send + Sync {
    /// What a claim looks like.
    type Claim: Claim;

    /// Claims up to `limit` records that are due, of one lane or a few. `None` when nothing is due
    /// that nobody else has claimed.
    ///
    /// The payloads of a claim MUST NOT have more than [`CLAIM_BYTES`], beside that of the last record of
    /// each lane, whether the records are new or are tried again.
    ///
    /// Until the claim ends, no other claim MUST hold a record of the same lanes. Records of one
    /// order MUST come in the order of their versions, and none of them while an earlier one of
    /// the same order is neither published nor in this claim.
    fn claim(
        &self,
        limit: usize,
    ) -> impl Future<Output = Result<Option<Self::Claim>, StoreError>> + Send;
}

/// Records that are this relay's to publish. Dropped unsettled, it is as if it had never been.
pub trait Claim: Send {
    /// The records, lane by lane, in the order of their positions.
    fn records(&self) -> &[OutboxRecord];

    /// Whether more may have been due than it holds, for another claim to take.
    fn more_may_be_due(&self) -> bool {
        true
    }

    /// Notes what became of each record, in the same order, and ends the claim.
    ///
    /// A record without a verdict counts as [`Verdict::Unsent`].
    fn settle(self, verdicts: &[Verdict]) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// An event as it lies in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRecord {
    /// The lane its order belongs to.
    pub lane: i16,
    /// Its place in the lane.
    pub position: i64,
    /// The event.
    pub event_id: EventId,
    /// The order it happened to: the record's key.
    pub order_id: OrderId,
    /// The order's version once it had happened.
    pub order_version: OrderVersion,
    /// The event's type, such as `OrderCreated`.
    pub event_type: String,
    /// Which schema the payload was written with.
    pub schema_fingerprint: Vec<u8>,
    /// The event in Avro, not yet framed for the wire.
    pub payload: Vec<u8>,
    /// Headers to send along.
    pub headers: Vec<(String, String)>,
    /// When the event happened.
    pub occurred_at: Timestamp,
}

/// What became of a record, as the outbox is to note it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Kafka has it.
    Published,
    /// It was not sent, through no fault of its own; it stays due.
    Unsent,
    /// Publishing it failed; it is to be tried again after a while, which grows with each failure.
    Failed(String),
    /// It can never be published; it is to be put aside for an operator.
    Refused(String),
}
