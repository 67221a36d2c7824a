//! The dead letters of a consumer in memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::Timestamp;

use super::sample;
use crate::StoreError;
use crate::dead_letters::{
    ConsumerDeadLetters, DeadLetterNumber, DeadLetterQuery, DeadLetterState, DeadLetters,
    KeptDeadLetter,
};
use crate::published::{DeadLetter, RawRecord};

/// The dead letters of a consumer in memory, for tests. Clones share one store.
///
/// Time is logical: each change happens a second after the one before.
#[derive(Debug, Clone, Default)]
pub struct InMemoryDeadLetters {
    shared: Arc<Mutex<State>>,
}

type Kept = KeptDeadLetter<DeadLetterNumber, RawRecord>;

#[derive(Debug, Default)]
struct State {
    kept: Vec<Kept>,
    last_number: i64,
    seconds: u32,
}

impl InMemoryDeadLetters {
    /// Stores the dead letter, unless one of the same record is already stored.
    pub(super) fn store_once(&self, letter: &DeadLetter) {
        let mut state = self.lock();
        let place = |record: &RawRecord| {
            (record.topic.clone(), record.partition, record.offset, record.value.clone())
        };
        if state.kept.iter().all(|other| place(&other.content) != place(&letter.record)) {
            let kept_at = state.tick();
            state.last_number += 1;
            let id = DeadLetterNumber::new(state.last_number);
            state.kept.push(KeptDeadLetter {
                id,
                content: letter.record.clone(),
                reason: letter.reason.clone(),
                kept_at,
                state: DeadLetterState::Open,
            });
        }
    }

    /// All that were kept, whatever became of them, in the order they were kept.
    pub(super) fn all(&self) -> Vec<DeadLetter> {
        let letter =
            |kept: &Kept| DeadLetter { record: kept.content.clone(), reason: kept.reason.clone() };
        self.lock().kept.iter().map(letter).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn tick(&mut self) -> Timestamp {
        self.seconds += 1;
        sample::at(self.seconds)
    }

    fn open(&mut self, number: DeadLetterNumber) -> Option<&mut Kept> {
        let mut kept = self.kept.iter_mut();
        kept.find(|kept| kept.id == number && kept.state == DeadLetterState::Open)
    }
}

impl DeadLetters for InMemoryDeadLetters {
    type Id = DeadLetterNumber;
    type Content = RawRecord;

    async fn page(
        &self,
        query: DeadLetterQuery<'_, DeadLetterNumber>,
        limit: usize,
    ) -> Result<Vec<Kept>, StoreError> {
        let DeadLetterQuery { status, filter, after } = query;
        let state = self.lock();
        let kept = state.kept.iter().filter(|kept| kept.state.status() == status);
        let kept = kept.filter(|kept| after.is_none_or(|after| kept.id > after));
        let kept = kept.filter(|kept| filter.matches(&kept.reason, kept.content.event_type()));
        Ok(kept.take(limit).cloned().collect())
    }

    async fn find(&self, number: DeadLetterNumber) -> Result<Option<Kept>, StoreError> {
        Ok(self.lock().kept.iter().find(|kept| kept.id == number).cloned())
    }

    async fn discard(
        &self,
        numbers: &[DeadLetterNumber],
    ) -> Result<Vec<DeadLetterNumber>, StoreError> {
        let mut state = self.lock();
        let at = state.tick();
        let mut discarded = Vec::new();
        for &number in numbers {
            if let Some(kept) = state.open(number) {
                kept.state = DeadLetterState::Discarded { at };
                discarded.push(number);
            }
        }
        Ok(discarded)
    }

    async fn delete_settled(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        let mut deleted = 0;
        self.lock().kept.retain(|kept| {
            let is_old = kept.state.settled_at().is_some_and(|at| at < before);
            let deletes = is_old && deleted < limit;
            deleted += usize::from(deletes);
            !deletes
        });
        Ok(deleted as u64)
    }
}

impl ConsumerDeadLetters for InMemoryDeadLetters {
    async fn keep(&self, letters: &[DeadLetter]) -> Result<(), StoreError> {
        for letter in letters {
            self.store_once(letter);
        }
        Ok(())
    }

    async fn mark_retried(&self, number: DeadLetterNumber) -> Result<bool, StoreError> {
        let mut state = self.lock();
        let at = state.tick();
        let Some(kept) = state.open(number) else { return Ok(false) };
        kept.state = DeadLetterState::Retried { at };
        Ok(true)
    }

    async fn note_reason(&self, number: DeadLetterNumber, reason: &str) -> Result<(), StoreError> {
        if let Some(kept) = self.lock().open(number) {
            reason.clone_into(&mut kept.reason);
        }
        Ok(())
    }
}
