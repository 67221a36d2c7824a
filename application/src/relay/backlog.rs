use std::future::Future;
use std::time::Duration;

use crate::StoreError;

/// Port for the figures of the outbox that operators watch.
pub trait MeasureBacklog: Send + Sync {
    /// What the outbox holds that is not published. It MUST cost the same whatever the outbox holds.
    fn measure(&self) -> impl Future<Output = Result<Backlog, StoreError>> + Send;
}

/// What an outbox holds that is not published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Events that are not published. Positions of transactions that are in flight or rolled back count
    /// until a relay has seen them.
    pub unprocessed: u64,
    /// How long the oldest of them has been waiting.
    pub oldest: Duration,
    /// Positions of transactions that had not ended when the relays passed them.
    pub late: u64,
    /// Events whose publication failed. They are retried.
    pub failed: u64,
    /// Events that wait, mostly for a failed one of their aggregate.
    pub held: u64,
    /// Events that Kafka refused, for an operator to retry or discard.
    pub dead: u64,
}

impl Backlog {
    /// Whether everything is published, except events that failed and those that wait for one. An outage
    /// of Kafka is over then.
    #[must_use]
    pub const fn is_published(&self) -> bool {
        self.unprocessed <= self.failed + self.held
    }
}
