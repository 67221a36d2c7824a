//! The outbox's dead letters in memory.

use domain::{EventId, Timestamp};

use super::InMemoryOrdering;
use crate::StoreError;
use crate::dead_letters::{
    DeadLetterQuery, DeadLetters, KeptDeadLetter, OutboxDeadLetters, RefusedEvent,
};
use crate::testing::{DeadLetterFixture, refuse_event, sample};

impl DeadLetters for InMemoryOrdering {
    type Id = EventId;
    type Content = RefusedEvent;

    async fn page(
        &self,
        query: DeadLetterQuery<'_, EventId>,
        limit: usize,
    ) -> Result<Vec<KeptDeadLetter<EventId, RefusedEvent>>, StoreError> {
        let DeadLetterQuery { status, filter, after } = query;
        let mut kept = self.lock().log.dead_letters();
        kept.retain(|one| {
            one.state.status() == status
                && after.is_none_or(|after| one.id > after)
                && filter.matches(&one.reason, Some(&one.content.event_type))
        });
        kept.sort_unstable_by_key(|one| one.id);
        kept.truncate(limit);
        Ok(kept)
    }

    async fn find(
        &self,
        event: EventId,
    ) -> Result<Option<KeptDeadLetter<EventId, RefusedEvent>>, StoreError> {
        Ok(self.lock().log.dead_letters().into_iter().find(|one| one.id == event))
    }

    async fn discard(&self, events: &[EventId]) -> Result<Vec<EventId>, StoreError> {
        let mut state = self.lock();
        Ok(events.iter().copied().filter(|&event| state.log.discard(event)).collect())
    }

    async fn delete_settled(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        Ok(self.lock().log.delete_retried(before, limit))
    }
}

impl OutboxDeadLetters for InMemoryOrdering {
    async fn make_due(&self, event: EventId) -> Result<bool, StoreError> {
        Ok(self.lock().log.make_due(event))
    }
}

impl DeadLetterFixture for InMemoryOrdering {
    type DeadLetters = Self;

    fn dead_letter_port(&self) -> Self {
        self.clone()
    }

    async fn add_dead_letter(&self, n: u32, version: u32, reason: &str) -> EventId {
        refuse_event(self, n, version, reason).await
    }

    fn unknown_id(&self) -> EventId {
        sample::event_id(u32::MAX, 1)
    }
}
