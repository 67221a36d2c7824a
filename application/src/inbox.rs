//! Inbox: applies received records in batches. Each event takes effect once, and a record that
//! cannot be applied does not block the others.

use std::future::Future;

use crate::published::{Content, DeadLetter, Incoming, Payload, PublishedEvent, RawRecord};
use crate::{StoreError, one_line};

/// Port for the events that a context receives. `P` is what the events tell.
pub trait Inbox<P = Payload>: Send + Sync {
    /// Applies the events and stores the dead letters. An error may mean that only some of them were
    /// applied or stored; the call is repeated then.
    ///
    /// An event that was applied before MUST change nothing: in a later call, twice in this call,
    /// or in a concurrent call.
    fn apply_batch(
        &self,
        events: &[PublishedEvent<P>],
        dead: &[DeadLetter],
    ) -> impl Future<Output = Result<BatchOutcome, StoreError>> + Send;
}

/// What a batch of records changed, as counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BatchOutcome {
    /// Events that changed something.
    pub applied: u64,
    /// Events that had been applied before and changed nothing.
    pub repeated: u64,
    /// Order versions that are missing before a received version.
    pub missing: u64,
    /// Records that could not be applied and were stored as dead letters.
    pub dead: u64,
    /// Records of a type that this program does not know. They are skipped.
    pub unknown: u64,
}

impl BatchOutcome {
    pub(crate) fn add(&mut self, other: Self) {
        self.applied += other.applied;
        self.repeated += other.repeated;
        self.missing += other.missing;
        self.dead += other.dead;
        self.unknown += other.unknown;
    }
}

/// Consecutive records that are applied together.
#[derive(Debug)]
pub struct Batch<P = Payload> {
    events: Vec<PublishedEvent<P>>,
    /// The record of each event, in the same sequence.
    records: Vec<RawRecord>,
    dead: Vec<DeadLetter>,
    unknown: u64,
}

impl<P> Default for Batch<P> {
    fn default() -> Self {
        Self { events: Vec::new(), records: Vec::new(), dead: Vec::new(), unknown: 0 }
    }
}

impl<P> Batch<P> {
    /// Adds the next record.
    pub fn push(&mut self, incoming: Incoming<P>) {
        let Incoming { record, content } = incoming;
        match content {
            Content::Event(event) => {
                self.events.push(event);
                self.records.push(record);
            }
            Content::UnknownType(_) => self.unknown += 1,
            Content::Unreadable(why) => {
                self.dead.push(DeadLetter { record, reason: why.to_string() });
            }
        }
    }

    /// The events in the batch.
    #[must_use]
    pub fn events(&self) -> &[PublishedEvent<P>] {
        &self.events
    }

    /// The number of records in the batch.
    #[must_use]
    pub fn len(&self) -> u64 {
        (self.events.len() + self.dead.len()) as u64 + self.unknown
    }

    /// Whether the batch has no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<P> FromIterator<Incoming<P>> for Batch<P> {
    fn from_iter<I: IntoIterator<Item = Incoming<P>>>(records: I) -> Self {
        let mut batch = Self::default();
        records.into_iter().for_each(|incoming| batch.push(incoming));
        batch
    }
}

/// Applies a batch of records.
///
/// A record becomes a dead letter if it cannot be decoded, or if the store refuses its content. A
/// record of an unknown type is skipped. All other records are applied.
///
/// # Errors
/// When the store is unavailable, or fails for a reason that is not the content of a record. The
/// caller can safely call this again with the same batch.
pub async fn receive<P: Sync>(
    inbox: &impl Inbox<P>,
    batch: &Batch<P>,
) -> Result<BatchOutcome, StoreError> {
    let mut outcome = if batch.events.is_empty() && batch.dead.is_empty() {
        BatchOutcome::default()
    } else {
        match inbox.apply_batch(&batch.events, &batch.dead).await {
            Err(StoreError::Refused(_)) => receive_one_by_one(inbox, batch).await?,
            answer => answer?,
        }
    };
    outcome.unknown += batch.unknown;
    Ok(outcome)
}

/// Applies each record in its own transaction, to find the ones that the store refuses.
async fn receive_one_by_one<P: Sync>(
    inbox: &impl Inbox<P>,
    batch: &Batch<P>,
) -> Result<BatchOutcome, StoreError> {
    let mut total = BatchOutcome::default();
    for letter in &batch.dead {
        total.add(inbox.apply_batch(&[], std::slice::from_ref(letter)).await?);
    }
    for (event, record) in batch.events.iter().zip(&batch.records) {
        let outcome = match inbox.apply_batch(std::slice::from_ref(event), &[]).await {
            Err(StoreError::Refused(why)) => {
                let reason = one_line(why.as_ref());
                let letter = DeadLetter { record: record.clone(), reason };
                inbox.apply_batch(&[], &[letter]).await?
            }
            answer => answer?,
        };
        total.add(outcome);
    }
    Ok(total)
}
