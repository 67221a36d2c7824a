use std::fmt::{Debug, Display};
use std::future::Future;

use domain::{EventId, Timestamp};

use super::{DeadLetterFilter, DeadLetterNumber, DeadLetterStatus, KeptDeadLetter, RefusedEvent};
use crate::StoreError;
use crate::published::{DeadLetter, RawRecord};

/// The dead letters of one context, for the people who operate it.
pub trait DeadLetters: Send + Sync {
    /// What a dead letter is called by.
    type Id: Copy + Ord + Debug + Display + Send + Sync;
    /// What could not be processed.
    type Content: Debug + Send;

    /// The first `limit` dead letters that match, ascending by id, which is oldest first.
    fn page(
        &self,
        query: DeadLetterQuery<'_, Self::Id>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Kept<Self>>, StoreError>> + Send;

    /// The dead letter with this id, in whatever state it is.
    fn find(
        &self,
        id: Self::Id,
    ) -> impl Future<Output = Result<Option<Kept<Self>>, StoreError>> + Send;

    /// Discards those of these dead letters that are open, all or none, and records when. Answers
    /// which ones were open, in any order.
    ///
    /// Their content MUST NOT have an effect afterwards, even if it comes again.
    fn discard(
        &self,
        ids: &[Self::Id],
    ) -> impl Future<Output = Result<Vec<Self::Id>, StoreError>> + Send;

    /// Deletes up to `limit` dead letters that were retried or discarded before this time. Returns how
    /// many it deleted.
    ///
    /// Open ones MUST stay. So MUST a discarded one without which its content would have an effect.
    fn delete_settled(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;
}

/// A dead letter of the port `L`.
pub type Kept<L> = KeptDeadLetter<<L as DeadLetters>::Id, <L as DeadLetters>::Content>;

/// Which dead letters to list.
#[derive(Debug, Clone, Copy)]
pub struct DeadLetterQuery<'a, Id> {
    /// Those in this state.
    pub status: DeadLetterStatus,
    /// Those that match.
    pub filter: &'a DeadLetterFilter,
    /// Those whose id is greater than this one.
    pub after: Option<Id>,
}

/// Records that a consumer could not consume.
///
/// The event type of a record is what its header `ce_type` says, without the namespace.
pub trait ConsumerDeadLetters: DeadLetters<Id = DeadLetterNumber, Content = RawRecord> {
    /// Stores the dead letters. One that is already stored is not stored again.
    fn keep(&self, letters: &[DeadLetter]) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Records that the content of an open dead letter has had its effect, and when. Answers whether
    /// it was open.
    fn mark_retried(
        &self,
        number: DeadLetterNumber,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Replaces the reason of a dead letter that is open.
    fn note_reason(
        &self,
        number: DeadLetterNumber,
        reason: &str,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Events of the outbox that Kafka refused.
pub trait OutboxDeadLetters: DeadLetters<Id = EventId, Content = RefusedEvent> {
    /// Makes an event due to be published again, and records when. Answers whether its dead letter
    /// was open.
    ///
    /// Later events of its order may have been published before. If Kafka refuses the event again,
    /// its dead letter is open again.
    fn make_due(&self, event: EventId) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
