use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use adapter_outbox::OutboxCheck;
use adapter_postgres::Database;
use metrics::describe_gauge;
use runtime::{Outage, one_line};
use tokio::time::{Instant, sleep};
use tracing::error;

use crate::RelayArgs;
use crate::config::AdoptPromotion;
use crate::halt::Halt;

/// The cause under which it stops the relay.
const CAUSE: &str = "outbox";

/// How often the outbox is checked while publishing is stopped or Postgres cannot be reached. Who
/// comes back may be another server, and who has adopted it waits for the relays.
const SOON: Duration = Duration::from_secs(1);

/// Checks the outbox while the relay runs, and stops the relay if the outbox is not sound.
///
/// Between two checks each claim refuses a server that no check has seen; see [`OutboxCheck`].
#[derive(Debug)]
pub(crate) struct OutboxGuard {
    check: OutboxCheck,
    every: Duration,
    halt: Halt,
    /// Whether Postgres can be reached, as the workers know it.
    outage: Outage,
    /// Whether the last check failed for another reason than an outage.
    fails: AtomicBool,
}

impl OutboxGuard {
    pub(crate) fn new(
        database: &Database,
        settings: &RelayArgs,
        halt: &Halt,
        outage: &Outage,
    ) -> Self {
        describe_gauge!("relay_halted", "1 while the relay must not publish for this cause");
        halt.until_checked(CAUSE);
        let adopts_promotions = settings.outbox_adopt_promotion == AdoptPromotion::Synchronous;
        Self {
            check: OutboxCheck::new(database, adopts_promotions),
            every: settings.relay_check,
            halt: halt.clone(),
            outage: outage.clone(),
            fails: AtomicBool::new(false),
        }
    }

    /// Returns once the outbox was checked for the first time, whatever was found. Nothing may be
    /// published before.
    pub(crate) async fn first_check(&self) {
        while !self.check().await {
            sleep(SOON).await;
        }
    }

    /// Goes on checking.
    pub(crate) async fn keep_checking(&self) {
        loop {
            let checked_at = Instant::now();
            while checked_at.elapsed() < self.every {
                sleep(SOON.min(self.every)).await;
                if self.outage.is_on() || self.halt.reason().is_some() {
                    break;
                }
            }
            self.check().await;
        }
    }

    /// Whether it is known now if the relay may publish. If it is not, what was known before holds.
    async fn check(&self) -> bool {
        match self.check.run().await {
            Ok(reason) => {
                self.fails.store(false, Ordering::Relaxed);
                if reason.is_some() {
                    // No worker is at work that would notice.
                    self.outage.ends();
                }
                self.halt.set(CAUSE, reason);
                true
            }
            Err(failed) if failed.is_unavailable() => {
                self.outage.begins(&one_line(&failed));
                false
            }
            Err(failed) => {
                if !self.fails.swap(true, Ordering::Relaxed) {
                    error!("the outbox cannot be checked: {}", one_line(&failed));
                }
                self.halt.set(CAUSE, Some("the outbox cannot be checked; see the log".to_owned()));
                false
            }
        }
    }
}
