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

#[cfg(test)]
mod tests {
    use std::io;

    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Log {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    impl Log {
        fn lines(&self) -> usize {
            String::from_utf8_lossy(&self.0.lock().unwrap()).lines().count()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_is_reached_often_is_told_once_and_its_end_once() {
        let log = Log::default();
        let told = tracing_subscriber::fmt().with_writer(log.clone()).finish();
        let _told = tracing::subscriber::set_default(told);
        let surge = Surge::of("requests", "some are refused");
        for _ in 0..1000 {
            surge.begins();
            surge.ends();
        }
        assert_eq!(log.lines(), 1);
        tokio::time::advance(QUIET).await;
        surge.ends();
        surge.ends();
        assert_eq!(log.lines(), 2);
        surge.begins();
        assert_eq!(log.lines(), 3);
    }
}
