//! How a context takes in what it is told: each event once, and no record holds up the others.

use std::future::Future;

use crate::published::{Announcement, DeadLetter, Incoming};
use crate::{StoreError, one_line};

/// The side of a context that takes events in.
pub trait Inbox: Send + Sync {
    /// Applies the events and keeps the dead letters in one transaction.
    ///
    /// An event applied before MUST change nothing, whether it comes again in a later call, twice
    /// in this one, or in another call at the same time.
    fn take_in(
        &self,
        events: &[Announcement],
        dead: &[DeadLetter],
    ) -> impl Future<Output = Result<Intake, StoreError>> + Send;
}

/// What a batch of events did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Intake {
    /// Events that changed something.
    pub applied: u64,
    /// Events that had been applied before.
    pub repeated: u64,
    /// Versions of orders that were jumped over.
    pub missing: u64,
    /// Records that had no effect and were kept as dead letters.
    pub dead: u64,
}

impl Intake {
    fn add(&mut self, other: Self) {
        self.applied += other.applied;
        self.repeated += other.repeated;
        self.missing += other.missing;
        self.dead += other.dead;
    }
}

/// Takes in a batch. A record that cannot be read, or that the store refuses for its content,
/// becomes a dead letter; the others take effect.
///
/// # Errors
/// When the store cannot be reached, or fails for no fault of a record. Receiving the same batch
/// again later is right and repeats nothing.
pub async fn receive(inbox: &impl Inbox, batch: &[Incoming]) -> Result<Intake, StoreError> {
    let mut events = Vec::with_capacity(batch.len());
    let mut dead = Vec::new();
    for incoming in batch {
        match &incoming.content {
            Ok(announcement) => events.push(announcement.clone()),
            Err(why) => dead.push(dead_letter(incoming, why.to_string())),
        }
    }
    match inbox.take_in(&events, &dead).await {
        Err(StoreError::Refused(_)) => receive_one_by_one(inbox, batch).await,
        answer => answer,
    }
}

/// The store refused the batch as a whole: each record by itself shows which one it means.
async fn receive_one_by_one(inbox: &impl Inbox, batch: &[Incoming]) -> Result<Intake, StoreError> {
    let mut total = Intake::default();
    for incoming in batch {
        let intake = match &incoming.content {
            Err(why) => inbox.take_in(&[], &[dead_letter(incoming, why.to_string())]).await?,
            Ok(event) => match inbox.take_in(std::slice::from_ref(event), &[]).await {
                Err(StoreError::Refused(why)) => {
                    inbox.take_in(&[], &[dead_letter(incoming, one_line(why.as_ref()))]).await?
                }
                answer => answer?,
            },
        };
        total.add(intake);
    }
    Ok(total)
}

fn dead_letter(incoming: &Incoming, reason: String) -> DeadLetter {
    DeadLetter { record: incoming.record.clone(), reason }
}
