use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::{info, warn};

/// Something a program needs and cannot reach at times. However many notice, and however often,
/// the log tells of the beginning once and of the end once. Clones are one.
#[derive(Debug, Clone)]
pub struct Outage {
    what: &'static str,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    on: AtomicBool,
    told: AtomicBool,
}

impl Outage {
    /// None so far; `what` is what the log calls the thing.
    #[must_use]
    pub fn of(what: &'static str) -> Self {
        Self { what, state: Arc::default() }
    }

    /// One that is on, though not worth telling, until the thing was reached for the first time.
    #[must_use]
    pub fn until_first_reached(what: &'static str) -> Self {
        let outage = Self::of(what);
        outage.state.on.store(true, Ordering::Relaxed);
        outage
    }

    /// Whether it lasts.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.state.on.load(Ordering::Relaxed)
    }

    /// Notes that the thing could not be reached.
    pub fn begins(&self, why: &str) {
        self.state.on.store(true, Ordering::Relaxed);
        if !self.state.told.swap(true, Ordering::Relaxed) {
            warn!("{} cannot be reached; waiting: {why}", self.what);
        }
    }

    /// Notes that it could be reached.
    pub fn ends(&self) {
        self.state.on.store(false, Ordering::Relaxed);
        if self.state.told.swap(false, Ordering::Relaxed) {
            info!("{} can be reached again", self.what);
        }
    }
}
