use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The limit counts as no longer reached after this time below it.
const QUIET_TIME: Duration = Duration::from_secs(10);

/// Logs when a limit of the server is reached, and when it is no longer reached: one line each,
/// however often it is reached in between. Metrics count every time. Clones share their state.
#[derive(Debug, Clone)]
pub(super) struct LimitLog {
    what: &'static str,
    consequence: &'static str,
    last_reached: Arc<Mutex<Option<Instant>>>,
}

impl LimitLog {
    /// For a limit on the number of `what`. `consequence` says what happens above the limit.
    pub(super) fn new(what: &'static str, consequence: &'static str) -> Self {
        Self { what, consequence, last_reached: Arc::default() }
    }

    /// Call it whenever the limit is reached.
    pub(super) fn reached(&self) {
        if self.last_reached().replace(Instant::now()).is_none() {
            tracing::warn!("too many {}: {}", self.what, self.consequence);
        }
    }

    /// Call it whenever the limit is not reached.
    pub(super) fn not_reached(&self) {
        let mut last_reached = self.last_reached();
        if last_reached.is_some_and(|instant| instant.elapsed() >= QUIET_TIME) {
            *last_reached = None;
            tracing::info!("no longer too many {}", self.what);
        }
    }

    fn last_reached(&self) -> MutexGuard<'_, Option<Instant>> {
        self.last_reached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_support::Log;

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_is_reached_often_is_logged_once_and_its_end_once() {
        let (log, _guard) = Log::of_this_thread();
        let limit = LimitLog::new("requests", "some are refused");
        for _ in 0..1000 {
            limit.reached();
            limit.not_reached();
        }
        assert_eq!(log.lines().len(), 1);
        tokio::time::advance(QUIET_TIME).await;
        limit.not_reached();
        limit.not_reached();
        assert_eq!(log.lines().len(), 2);
        limit.reached();
        assert_eq!(log.lines().len(), 3);
    }
}
