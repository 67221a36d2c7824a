use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use adapter_outbox::{ContextOutbox, OutboxCheck};
use adapter_postgres::Database;
use metrics::describe_gauge;
use runtime::{Outage, one_line};
use tokio::time::{Instant, sleep};
use tracing::error;

use crate::halt::Halt;
use crate::{AdoptPromotion, RelayArgs};

/// The cause in [`Halt`].
const CAUSE: &str = "outbox";

/// The interval of the checks while publishing is stopped or Postgres cannot be reached. After an
/// outage, Postgres may be another server. After an adoption, the operator waits for the relays.
const SHORT_INTERVAL: Duration = Duration::from_secs(1);

/// Checks the outbox while the relay runs, and stops publishing if the check finds a problem.
///
/// Between two checks, a claim fails on a server that has not been checked; see [`OutboxCheck`].
#[derive(Debug)]
pub(crate) struct OutboxGuard {
    check: OutboxCheck,
    every: Duration,
    halt: Halt,
    /// The outage of Postgres, shared with the workers.
    outage: Outage,
    /// Whether the last check failed for another reason than an outage.
    fails: AtomicBool,
}

impl OutboxGuard {
    pub(crate) fn new(
        database: &Database,
        outbox: &'static ContextOutbox,
        settings: &RelayArgs,
        halt: &Halt,
        outage: &Outage,
    ) -> Self {
        describe_gauge!("relay_halted", "1 while publishing is stopped for this cause");
        halt.until_checked(CAUSE);
        let adopts_promotions = settings.outbox_adopt_promotion == AdoptPromotion::Synchronous;
        Self {
            check: OutboxCheck::new(database, outbox, adopts_promotions),
            every: settings.relay_check,
            halt: halt.clone(),
            outage: outage.clone(),
            fails: AtomicBool::new(false),
        }
    }

    /// Repeats the check until it could be done once, whatever it finds. Nothing may be published before.
    pub(crate) async fn first_check(&self) {
        while !self.check().await {
            sleep(SHORT_INTERVAL).await;
        }
    }

    /// Checks the outbox regularly, forever.
    pub(crate) async fn keep_checking(&self) {
        loop {
            let checked_at = Instant::now();
            while checked_at.elapsed() < self.every {
                sleep(SHORT_INTERVAL.min(self.every)).await;
                if self.outage.is_on() || self.halt.reason().is_some() {
                    break;
                }
            }
            self.check().await;
        }
    }

    /// Checks the outbox and updates the halt. Returns whether the check could be done. During an outage,
    /// the halt stays as it was.
    async fn check(&self) -> bool {
        match self.check.run().await {
            Ok(reason) => {
                self.fails.store(false, Ordering::Relaxed);
                if reason.is_some() {
                    // All workers are halted, so none of them would end the outage.
                    self.outage.report_success();
                }
                self.halt.set(CAUSE, reason);
                true
            }
            Err(failed) if failed.is_unavailable() => {
                self.outage.report_failure(&one_line(&failed));
                false
            }
            Err(failed) => {
                if !self.fails.swap(true, Ordering::Relaxed) {
                    error!(
                        "the outbox cannot be checked; publishing is stopped until it can: {}",
                        one_line(&failed)
                    );
                }
                self.halt.set(CAUSE, Some("the outbox cannot be checked; see the log".to_owned()));
                false
            }
        }
    }
}
