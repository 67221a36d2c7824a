//! Retries with exponential backoff, during which the member stays in its group.

use std::sync::atomic::Ordering;
use std::time::Duration;

use rdkafka::consumer::Consumer;
use runtime::Backoff;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::Member;

/// The waits between two attempts.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));

/// Why a batch cannot be decoded or applied now.
pub(super) struct Blocked {
    pub(super) reason: String,
    pub(super) kind: BlockedBy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockedBy {
    /// The store or the registry is unavailable.
    Outage,
    /// The store failed for another reason than an outage.
    Broken,
    /// The registry may be the wrong one, because it has none of our schemas.
    WrongRegistry,
    /// One record with an unknown schema id, for a limited time. The member stays ready.
    Record,
}

/// Backoff state of one batch.
pub(super) struct RetryWait {
    backoff: Backoff,
    /// The reason that was logged last. It is not logged again while it stays the same.
    logged: Option<BlockedBy>,
}

impl RetryWait {
    pub(super) const fn new() -> Self {
        Self { backoff: BACKOFF, logged: None }
    }
}

impl<P: Send + Sync> Member<P> {
    /// Waits before the next attempt. Returns `false` if shutdown was requested meanwhile.
    pub(super) async fn retry(
        &mut self,
        retry: &mut RetryWait,
        Blocked { reason, kind }: Blocked,
        shutdown: &CancellationToken,
    ) -> Result<bool, String> {
        if retry.logged.is_none() {
            self.pause_fetching();
        }
        let logged = retry.logged.replace(kind);
        match kind {
            BlockedBy::Broken => {
                error!(group = self.group, "{reason}; retrying, nothing is lost");
            }
            _ if logged == Some(kind) => {}
            BlockedBy::Outage | BlockedBy::WrongRegistry => {
                warn!(group = self.group, "{reason}; retrying, nothing is lost");
            }
            BlockedBy::Record => warn!(group = self.group, "{reason}"),
        }
        self.set_registry_suspect(kind == BlockedBy::WrongRegistry);
        if kind == BlockedBy::Record {
            self.health.clear_blocked();
        } else {
            self.health.set_blocked(reason);
        }
        self.wait(retry.backoff.after_failure(), shutdown).await
    }

    /// Resumes fetching after a successful attempt, if there was a failed one before.
    pub(super) fn resume_after(&self, retry: &RetryWait) {
        if retry.logged.is_some() {
            self.set_registry_suspect(false);
            self.resume_fetching();
        }
    }

    fn set_registry_suspect(&self, suspect: bool) {
        metrics::gauge!("consumer_registry_suspect", "group" => self.group.clone())
            .set(u8::from(suspect));
    }

    /// Stops fetching until [`Self::resume_fetching`]. The member stays in the group.
    fn pause_fetching(&self) {
        let events = self.consumer.context();
        events.paused.store(true, Ordering::Relaxed);
        if let Err(error) = self.consumer.pause(&events.membership.own()) {
            warn!(group = self.group, %error, "partitions were not paused");
        }
    }

    fn resume_fetching(&self) {
        let events = self.consumer.context();
        events.paused.store(false, Ordering::Relaxed);
        if let Err(error) = self.consumer.resume(&events.membership.own()) {
            warn!(group = self.group, %error, "partitions were not resumed");
        }
        self.health.clear_blocked();
        info!(group = self.group, "recovered; consuming again");
    }

    /// Waits and polls, because polling keeps the member in its group. Records that arrive although
    /// the partitions are paused are kept for the next batch. Returns `false` at shutdown.
    async fn wait(
        &mut self,
        delay: Duration,
        shutdown: &CancellationToken,
    ) -> Result<bool, String> {
        let until = Instant::now() + delay;
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return Ok(false),
                () = sleep_until(until) => return Ok(true),
                fetched = self.fetch() => self.fetched.extend(fetched?),
            }
        }
    }
}
