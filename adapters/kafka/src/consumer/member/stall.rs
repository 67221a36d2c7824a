//! A wait for something that a batch needs, in which the member stays in its group.

use std::sync::atomic::Ordering;
use std::time::Duration;

use rdkafka::consumer::Consumer;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::Member;

/// The first and the longest pause between two attempts.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What keeps a batch from taking effect.
pub(super) struct Obstacle {
    pub(super) what: String,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The store or the registry is away.
    Outage,
    /// The store fails where it should not.
    Broken,
    /// The registry may be the wrong one.
    WrongRegistry,
    /// One record, for a bounded time. The member stays ready.
    Record,
}

/// A wait, from the first obstacle on.
pub(super) struct Stall {
    pause: Duration,
    /// What was told last; once is enough.
    told: Option<Kind>,
}

impl Stall {
    pub(super) const fn none() -> Self {
        Self { pause: FIRST_PAUSE, told: None }
    }
}

impl Member {
    /// Waits before the next attempt; `false` if asked to stop meanwhile.
    pub(super) async fn stall(
        &mut self,
        stall: &mut Stall,
        Obstacle { what, kind }: Obstacle,
        shutdown: &CancellationToken,
    ) -> Result<bool, String> {
        if stall.told.is_none() {
            self.hold();
        }
        let told = stall.told.replace(kind);
        match kind {
            Kind::Broken => {
                error!(group = self.group, "{what}; trying again, nothing is lost");
            }
            _ if told == Some(kind) => {}
            Kind::Outage | Kind::WrongRegistry => {
                warn!(group = self.group, "{what}; waiting, nothing is lost");
            }
            Kind::Record => warn!(group = self.group, "{what}"),
        }
        self.suspects_registry(kind == Kind::WrongRegistry);
        if kind == Kind::Record {
            self.health.goes_on();
        } else {
            self.health.waits_for(what);
        }
        let goes_on = self.wait(stall.pause, shutdown).await?;
        stall.pause = (stall.pause * 2).min(LONGEST_PAUSE);
        Ok(goes_on)
    }

    /// Ends a wait, if there was one.
    pub(super) fn end(&self, stall: &Stall) {
        if stall.told.is_some() {
            self.suspects_registry(false);
            self.go_on();
        }
    }

    fn suspects_registry(&self, suspect: bool) {
        metrics::gauge!("consumer_registry_suspect", "group" => self.group.clone())
            .set(u8::from(suspect));
    }

    /// Fetches nothing more until [`Self::go_on`], but stays in the group.
    fn hold(&self) {
        let events = self.consumer.context();
        events.holding.store(true, Ordering::Relaxed);
        if let Err(error) = self.consumer.pause(&events.membership.own()) {
            warn!(group = self.group, %error, "partitions could not be paused");
        }
    }

    fn go_on(&self) {
        let events = self.consumer.context();
        events.holding.store(false, Ordering::Relaxed);
        if let Err(error) = self.consumer.resume(&events.membership.own()) {
            warn!(group = self.group, %error, "partitions could not be resumed");
        }
        self.health.goes_on();
        info!(group = self.group, "going on");
    }

    /// Waits, polling, which is what keeps a member in its group. Records that were on their way
    /// when the partitions were paused are kept for the next batch. `false` if asked to stop.
    async fn wait(
        &mut self,
        pause: Duration,
        shutdown: &CancellationToken,
    ) -> Result<bool, String> {
        let until = Instant::now() + pause;
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
