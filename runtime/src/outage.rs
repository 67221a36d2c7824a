use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::{info, warn};

/// Logs the outages of a service that the program needs: one line when an outage begins, one when
/// its cause becomes known later, and one when it ends, however many failures there are in between.
/// Clones share their state.
#[derive(Debug, Clone)]
pub struct Outage {
    what: &'static str,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    on: AtomicBool,
    logged: AtomicBool,
    explained: AtomicBool,
}

impl Outage {
    /// No outage so far. `what` is the name of the service in the log.
    #[must_use]
    pub fn of(what: &'static str) -> Self {
        Self { what, state: Arc::default() }
    }

    /// An outage that is on and not logged until the service was reached for the first time.
    #[must_use]
    pub fn initially_on(what: &'static str) -> Self {
        let outage = Self::of(what);
        outage.state.on.store(true, Ordering::Relaxed);
        outage
    }

    /// Whether there is an outage now.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.state.on.load(Ordering::Relaxed)
    }

    /// Call it when the service could not be reached.
    pub fn report_failure(&self, why: &str) {
        self.state.on.store(true, Ordering::Relaxed);
        if !self.state.logged.swap(true, Ordering::Relaxed) {
            warn!("{} cannot be reached; waiting: {why}", self.what);
        }
    }

    /// Call it when the service could not be reached and the cause is known, such as a wrong password.
    /// It is logged once, also if the outage was logged before without its cause.
    pub fn report_cause(&self, why: &str) {
        if !self.state.explained.swap(true, Ordering::Relaxed) {
            self.state.logged.store(false, Ordering::Relaxed);
        }
        self.report_failure(why);
    }

    /// Call it when the service was reached.
    pub fn report_success(&self) {
        self.state.on.store(false, Ordering::Relaxed);
        self.state.explained.store(false, Ordering::Relaxed);
        if self.state.logged.swap(false, Ordering::Relaxed) {
            info!("{} can be reached again", self.what);
        }
    }
}
