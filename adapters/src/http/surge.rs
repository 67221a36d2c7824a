use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long a limit must not have been reached before that counts as the end.
const QUIET: Duration = Duration::from_secs(10);

/// A limit of the server that is reached at times. The log has one line for the beginning and one
/// for the end, however often it is reached in between; metrics have the rest. Clones are one.
#[derive(Debug, Clone)]
pub(super) struct Surge {
    what: &'static str,
    consequence: &'static str,
    last: Arc<Mutex<Option<Instant>>>,
}

impl Surge {
    /// A limit on the number of `what`, and what happens to those above it.
    pub(super) fn of(what: &'static str, consequence: &'static str) -> Self {
        Self { what, consequence, last: Arc::default() }
    }

    /// Notes that the limit is reached.
    pub(super) fn begins(&self) {
        if self.last().replace(Instant::now()).is_none() {
            tracing::warn!("too many {}: {}", self.what, self.consequence);
        }
    }

    /// Notes that the limit is not reached now. It is over once that has been so for a while.
    pub(super) fn ends(&self) {
        let mut last = self.last();
        if last.is_some_and(|last| last.elapsed() >= QUIET) {
            *last = None;
            tracing::info!("no longer too many {}", self.what);
        }
    }

    fn last(&self) -> MutexGuard<'_, Option<Instant>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
