use std::sync::Arc;
use std::time::Duration;

use adapter_outbox::PgOutbox;
use adapter_outbox::Wakeups;
use application::relay::{Outbox, Publisher, Step, relay_step};
use metrics::counter;
use runtime::{Outage, one_line};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::halt::Halt;

/// The first and the longest wait between attempts during an outage. The waits are short, so that
/// publishing resumes quickly after the outage.
const OUTAGE_WAIT: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));

/// How often a halted relay checks whether it may publish again.
const HALT_PAUSE: Duration = Duration::from_millis(500);

/// One of the workers of an instance. It relays one batch after the other, waits if nothing is due, and
/// retries after failures.
pub(crate) struct Worker<O, P> {
    pub(crate) outbox: O,
    pub(crate) publisher: Arc<P>,
    pub(crate) batch: usize,
    /// Wakes this worker when events were stored, and wakes others if there is more to do.
    pub(crate) wakeups: Wakeups,
    /// The longest wait without a wakeup.
    pub(crate) poll: Duration,
    /// The outages, shared by all workers of the instance.
    pub(crate) outages: RelayOutages,
    /// The reasons why nothing may be published.
    pub(crate) halt: Halt,
}

/// The outages of the services that a relay needs.
#[derive(Debug, Clone)]
pub(crate) struct RelayOutages {
    /// The outage of Kafka or the registry.
    pub(crate) kafka: Outage,
    /// The outage of Postgres.
    pub(crate) outbox: Outage,
}

impl<O: Outbox, P: Publisher> Worker<O, P> {
    /// Works until `stop` is cancelled. It finishes a batch that it has begun.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut failures = 0_u32;
        while !stop.is_cancelled() {
            if self.halt.reason().is_some() {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(HALT_PAUSE) => continue,
                }
            }
            let mut more = false;
            let found_more = || {
                more = true;
                self.wakeups.wake_another();
            };
            let publisher = self.publisher.as_ref();
            let step =
                relay_step(&self.outbox, publisher, self.batch, found_more, PgOutbox::claim_clock);
            let wait = match step.await {
                Ok(Step::Relayed { published, unpublished }) => {
                    self.outages.kafka.report_success();
                    self.outages.outbox.report_success();
                    failures = 0;
                    counter!("relay_published_total").increment(published as u64);
                    counter!("relay_unpublished_total").increment(unpublished as u64);
                    if unpublished > 0 {
                        warn!(
                            unpublished,
                            "events were not published: they failed, were refused, or wait for an earlier \
                             event of their order; see ordering.outbox_status"
                        );
                    }
                    if more {
                        continue;
                    }
                    self.wakeups.wake_soon();
                    self.poll
                }
                Ok(Step::Idle) => {
                    self.outages.outbox.report_success();
                    failures = 0;
                    self.poll
                }
                Ok(Step::Outage(why)) => {
                    self.outages.outbox.report_success();
                    self.outages.kafka.report_failure(&why);
                    counter!("relay_outages_total").increment(1);
                    failures += 1;
                    wait_after(failures)
                }
                Err(failed) => {
                    if failed.is_unavailable() {
                        self.outages.outbox.report_failure(&one_line(&failed));
                    } else {
                        error!("the outbox failed; retrying: {}", one_line(&failed));
                    }
                    counter!("relay_store_failures_total").increment(1);
                    failures += 1;
                    wait_after(failures)
                }
            };
            let waited = async {
                match failures {
                    0 => self.wakeups.wait(wait).await,
                    // New events do not end an outage, so wakeups are ignored.
                    _ => tokio::time::sleep(wait).await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = waited => {}
            }
        }
    }
}

/// The wait after this many failures in a row. It doubles with each failure.
fn wait_after(failures: u32) -> Duration {
    let (shortest, longest) = OUTAGE_WAIT;
    shortest.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_its_maximum() {
        let waits: Vec<u128> = [1, 2, 3, 6, 60].map(|n| wait_after(n).as_millis()).into();
        assert_eq!(waits, [200, 400, 800, 2000, 2000]);
    }
}
