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

/// The shortest and the longest wait after an outage. While it lasts each try takes its time anyway;
/// once it is over, nobody is to wait for long.
const OUTAGE_WAIT: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));

/// How often a stopped relay looks whether it may go on.
const HALT_PAUSE: Duration = Duration::from_millis(500);

/// One of an instance's workers: relays batch after batch, rests when nothing is due, and waits
/// out whatever fails.
pub(crate) struct Worker<O, P> {
    pub(crate) outbox: O,
    pub(crate) publisher: Arc<P>,
    pub(crate) batch: usize,
    /// Tells when events were stored, and others when there is more to do.
    pub(crate) wakeups: Wakeups,
    /// The longest rest, whether told or not.
    pub(crate) poll: Duration,
    /// What cannot be reached, as all workers of the instance know it.
    pub(crate) outages: Outages,
    /// Why nothing may be published at the moment, if so.
    pub(crate) halt: Halt,
}

/// What a relay cannot do without.
#[derive(Debug, Clone)]
pub(crate) struct Outages {
    /// Of Kafka or the registry.
    pub(crate) kafka: Outage,
    /// Of Postgres.
    pub(crate) outbox: Outage,
}

impl<O: Outbox, P: Publisher> Worker<O, P> {
    /// Works until told to stop; a batch that was begun is finished.
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
                self.wakeups.pass_on();
            };
            let publisher = self.publisher.as_ref();
            let step =
                relay_step(&self.outbox, publisher, self.batch, found_more, PgOutbox::claim_clock);
            let rest = match step.await {
                Ok(Step::Relayed { published, unpublished }) => {
                    self.outages.kafka.ends();
                    self.outages.outbox.ends();
                    failures = 0;
                    counter!("relay_published_total").increment(published as u64);
                    counter!("relay_unpublished_total").increment(unpublished as u64);
                    if unpublished > 0 {
                        warn!(unpublished, "events failed or wait; see ordering.outbox_status");
                    }
                    if more {
                        continue;
                    }
                    self.wakeups.look_again();
                    self.poll
                }
                Ok(Step::Idle) => {
                    self.outages.outbox.ends();
                    failures = 0;
                    self.poll
                }
                Ok(Step::Outage(why)) => {
                    self.outages.outbox.ends();
                    self.outages.kafka.begins(&why);
                    counter!("relay_outages_total").increment(1);
                    failures += 1;
                    wait_after(failures)
                }
                Err(failed) => {
                    if failed.is_unavailable() {
                        self.outages.outbox.begins(&one_line(&failed));
                    } else {
                        error!("the outbox fails: {}", one_line(&failed));
                    }
                    counter!("relay_store_failures_total").increment(1);
                    failures += 1;
                    wait_after(failures)
                }
            };
            let rested = async {
                match failures {
                    0 => self.wakeups.wait(rest).await,
                    // Payload does not end an outage.
                    _ => tokio::time::sleep(rest).await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = rested => {}
            }
        }
    }
}

/// Doubles with each failure.
fn wait_after(failures: u32) -> Duration {
    let (shortest, longest) = OUTAGE_WAIT;
    shortest.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_its_bound() {
        let waits: Vec<u128> = [1, 2, 3, 6, 60].map(|n| wait_after(n).as_millis()).into();
        assert_eq!(waits, [200, 400, 800, 2000, 2000]);
    }
}
