use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// Maximum number of ids in memory. A foreign record can have any of four billion ids.
const MAX_IDS: usize = 1_000;

/// How long an id that was given up counts as unknown without another request. So many records with
/// the same id do not each wait for the registry.
const RECHECK_AFTER: Duration = Duration::from_secs(10);

/// The schema ids that the registry does not know, each with the time of the first request.
///
/// A new schema may reach the nodes of a registry one after the other, so a valid id can be unknown
/// for a moment. After the timeout the id counts as foreign.
#[derive(Debug)]
pub(super) struct UnknownSchemaIds {
    unknown_schema_timeout: Duration,
    since: HashMap<u32, Since>,
}

#[derive(Debug, Clone, Copy)]
struct Since {
    first: Instant,
    given_up: Option<Instant>,
}

impl UnknownSchemaIds {
    pub(super) fn new(unknown_schema_timeout: Duration) -> Self {
        Self { unknown_schema_timeout, since: HashMap::new() }
    }

    pub(super) const fn unknown_schema_timeout(&self) -> Duration {
        self.unknown_schema_timeout
    }

    /// Adds an id that the registry does not know. Returns whether its timeout has passed.
    pub(super) fn add(&mut self, id: u32, now: Instant) -> bool {
        if self.since.len() >= MAX_IDS && !self.since.contains_key(&id) {
            let oldest = self.since.iter().min_by_key(|(_, since)| since.first);
            if let Some((&oldest, _)) = oldest {
                self.since.remove(&oldest);
            }
        }
        let since = self.since.entry(id).or_insert(Since { first: now, given_up: None });
        now.duration_since(since.first) >= self.unknown_schema_timeout
    }

    /// Whether an id is known to be unknown.
    pub(super) fn contains(&self, id: u32) -> bool {
        self.since.contains_key(&id)
    }

    /// Marks an id as given up: a record with it became a dead letter.
    pub(super) fn give_up(&mut self, id: u32, now: Instant) {
        if let Some(since) = self.since.get_mut(&id) {
            since.given_up = Some(now);
        }
    }

    /// Whether an id was given up within the last [`RECHECK_AFTER`].
    pub(super) fn is_given_up(&self, id: u32, now: Instant) -> bool {
        let since = self.since.get(&id).and_then(|since| since.given_up);
        since.is_some_and(|given_up| now.duration_since(given_up) < RECHECK_AFTER)
    }

    /// Removes an id, because the registry knows it now.
    pub(super) fn remove(&mut self, id: u32) {
        self.since.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNKNOWN_SCHEMA_TIMEOUT: Duration = Duration::from_secs(30);

    #[test]
    fn an_id_is_given_up_after_the_timeout() {
        let (mut unknown, started) =
            (UnknownSchemaIds::new(UNKNOWN_SCHEMA_TIMEOUT), Instant::now());
        assert!(!unknown.add(7, started));
        assert!(!unknown.add(8, started + UNKNOWN_SCHEMA_TIMEOUT / 2));
        assert!(!unknown.add(7, started + UNKNOWN_SCHEMA_TIMEOUT / 2));
        assert!(unknown.add(7, started + UNKNOWN_SCHEMA_TIMEOUT));
        assert!(!unknown.add(8, started + UNKNOWN_SCHEMA_TIMEOUT));
        unknown.remove(7);
        assert!(!unknown.add(7, started + UNKNOWN_SCHEMA_TIMEOUT));
    }

    #[test]
    fn an_id_that_was_given_up_is_requested_again_later() {
        let (mut unknown, started) =
            (UnknownSchemaIds::new(UNKNOWN_SCHEMA_TIMEOUT), Instant::now());
        unknown.add(7, started);
        assert!(!unknown.is_given_up(7, started));
        unknown.give_up(7, started);
        assert!(unknown.is_given_up(7, started + RECHECK_AFTER / 2));
        assert!(!unknown.is_given_up(7, started + RECHECK_AFTER));
    }

    #[test]
    fn the_number_of_ids_in_memory_is_limited() {
        let (mut unknown, started) =
            (UnknownSchemaIds::new(UNKNOWN_SCHEMA_TIMEOUT), Instant::now());
        for id in 0..5_000 {
            unknown.add(id, started + Duration::from_millis(id.into()));
        }
        assert_eq!(unknown.since.len(), MAX_IDS);
        assert!(unknown.contains(4_999) && !unknown.contains(0));
    }
}
