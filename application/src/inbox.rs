//! How a context takes in what it is told: each event once, and no record holds up the others.

use std::future::Future;

use crate::published::{Content, DeadLetter, Incoming, PublishedEvent, RawRecord};
use crate::{StoreError, one_line};

/// The side of a context that takes events in.
pub trait Inbox: Send + Sync {
    /// Applies the events and keeps the dead letters in one transaction.
    ///
    /// An event applied before MUST change nothing, whether it comes again in a later call, twice
    /// in this one, or in another call at the same time.
    fn apply_batch(
        &self,
        events: &[PublishedEvent],
        dead: &[DeadLetter],
    ) -> impl Future<Output = Result<BatchOutcome, StoreError>> + Send;
}

/// What a batch of events did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BatchOutcome {
    /// Events that changed something.
    pub applied: u64,
    /// Events that had been applied before.
    pub repeated: u64,
    /// Versions of orders that were jumped over.
    pub missing: u64,
    /// Records that had no effect and were kept as dead letters.
    pub dead: u64,
    /// Records of a type that this program does not know, which were skipped.
    pub unknown: u64,
}

impl BatchOutcome {
    fn add(&mut self, other: Self) {
        self.applied += other.applied;
        self.repeated += other.repeated;
        self.missing += other.missing;
        self.dead += other.dead;
        self.unknown += other.unknown;
    }
}

/// Records that arrived one after the other, to be taken in together.
#[derive(Debug, Default)]
pub struct Batch {
    events: Vec<PublishedEvent>,
    /// The records that the events came in.
    records: Vec<RawRecord>,
    dead: Vec<DeadLetter>,
    unknown: u64,
}

impl Batch {
    /// Adds the next record.
    pub fn push(&mut self, incoming: Incoming) {
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

    /// The events in it.
    #[must_use]
    pub fn events(&self) -> &[PublishedEvent] {
        &self.events
    }

    /// The records in it.
    #[must_use]
    pub fn len(&self) -> u64 {
        (self.events.len() + self.dead.len()) as u64 + self.unknown
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl FromIterator<Incoming> for Batch {
    fn from_iter<I: IntoIterator<Item = Incoming>>(records: I) -> Self {
        let mut batch = Self::default();
        records.into_iter().for_each(|incoming| batch.push(incoming));
        batch
    }
}

/// Takes in a batch. A record that cannot be read, or that the store refuses for its content,
/// becomes a dead letter; one of an unknown type is skipped; the others take effect.
///
/// # Errors
/// When the store cannot be reached, or fails for no fault of a record. Receiving the same batch
/// again later is right and repeats nothing.
pub async fn receive(inbox: &impl Inbox, batch: &Batch) -> Result<BatchOutcome, StoreError> {
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

/// The store refused the batch as a whole: each record by itself shows which one it means.
async fn receive_one_by_one(inbox: &impl Inbox, batch: &Batch) -> Result<BatchOutcome, StoreError> {
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
