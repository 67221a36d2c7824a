use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// How many ids are remembered. A foreign record can carry any of four billion.
const MOST: usize = 1_000;

/// For how long an id that was given up counts as unknown without asking again, so that many records
/// with it do not each wait for the registry.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// The schema ids that the registry does not know, and since when.
///
/// A registry of several nodes learns of a schema on one and is asked on another, so that a good id is
/// unknown for a moment. After the patience is over the id is foreign.
#[derive(Debug)]
pub(super) struct UnknownSchemas {
    patience: Duration,
    since: HashMap<u32, Since>,
}

#[derive(Debug, Clone, Copy)]
struct Since {
    first: Instant,
    given_up: Option<Instant>,
}

impl UnknownSchemas {
    pub(super) fn new(patience: Duration) -> Self {
        Self { patience, since: HashMap::new() }
    }

    pub(super) const fn patience(&self) -> Duration {
        self.patience
    }

    /// Notes that the registry does not know an id; says whether it was asked for long enough.
    pub(super) fn note(&mut self, id: u32, now: Instant) -> bool {
        if self.since.len() >= MOST && !self.since.contains_key(&id) {
            let oldest = self.since.iter().min_by_key(|(_, since)| since.first);
            if let Some((&oldest, _)) = oldest {
                self.since.remove(&oldest);
            }
        }
        let since = self.since.entry(id).or_insert(Since { first: now, given_up: None });
        now.duration_since(since.first) >= self.patience
    }

    /// Whether an id was noted.
    pub(super) fn contains(&self, id: u32) -> bool {
        self.since.contains_key(&id)
    }

    /// Notes that a record with this id was given up.
    pub(super) fn give_up(&mut self, id: u32, now: Instant) {
        if let Some(since) = self.since.get_mut(&id) {
            since.given_up = Some(now);
        }
    }

    /// Whether a record with this id was given up a moment ago.
    pub(super) fn is_given_up(&self, id: u32, now: Instant) -> bool {
        let since = self.since.get(&id).and_then(|since| since.given_up);
        since.is_some_and(|given_up| now.duration_since(given_up) < ASK_AGAIN)
    }

    /// Notes that the registry knows an id.
    pub(super) fn forget(&mut self, id: u32) {
        self.since.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    #[test]
    fn an_id_is_given_up_once_it_was_unknown_for_long_enough() {
        let (mut unknown, began) = (UnknownSchemas::new(PATIENCE), Instant::now());
        assert!(!unknown.note(7, began));
        assert!(!unknown.note(8, began + PATIENCE / 2));
        assert!(!unknown.note(7, began + PATIENCE / 2));
        assert!(unknown.note(7, began + PATIENCE));
        assert!(!unknown.note(8, began + PATIENCE));
        unknown.forget(7);
        assert!(!unknown.note(7, began + PATIENCE));
    }

    #[test]
    fn an_id_that_was_given_up_is_asked_for_again_after_a_while() {
        let (mut unknown, began) = (UnknownSchemas::new(PATIENCE), Instant::now());
        unknown.note(7, began);
        assert!(!unknown.is_given_up(7, began));
        unknown.give_up(7, began);
        assert!(unknown.is_given_up(7, began + ASK_AGAIN / 2));
        assert!(!unknown.is_given_up(7, began + ASK_AGAIN));
    }

    #[test]
    fn however_many_ids_there_are_few_are_remembered() {
        let (mut unknown, began) = (UnknownSchemas::new(PATIENCE), Instant::now());
        for id in 0..5_000 {
            unknown.note(id, began + Duration::from_millis(id.into()));
        }
        assert_eq!(unknown.since.len(), MOST);
        assert!(unknown.contains(4_999) && !unknown.contains(0));
    }
}
