use std::sync::Arc;
use std::time::Duration;

use adapter_outbox::PgOutbox;
use adapter_outbox::Wakeups;
use application::relay::{Outbox, Publisher, Step, relay_step};
use metrics::{counter, describe_counter};
use runtime::{Backoff, Outage, one_line};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::halt::Halt;

/// The waits between attempts during an outage. They are short, so that publishing resumes quickly
/// after the outage.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(2));

/// How often a halted relay checks whether it may publish again.
const HALT_PAUSE: Duration = Duration::from_millis(500);

/// One of the workers of an instance. It relays one batch after the other, waits if nothing is due, and
/// retries after failures.
pub(crate) struct Worker<O, P> {
    pub(crate) outbox: O,
    pub(crate) publisher: Arc<P>,
    /// The schema of the outbox, a label of the metrics.
    pub(crate) schema: &'static str,
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
        let mut backoff = BACKOFF;
        while !stop.is_cancelled() {
            if self.halt.reason().is_some() {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(HALT_PAUSE) => continue,
                }
            }
            let (mut more, mut failed) = (false, false);
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
                    backoff.reset();
                    counter!("relay_published_total", "schema" => self.schema)
                        .increment(published as u64);
                    counter!("relay_unpublished_total", "schema" => self.schema)
                        .increment(unpublished as u64);
                    if unpublished > 0 {
                        warn!(
                            unpublished,
                            "events were not published: they failed, were refused, or wait for an earlier \
                             event of their order; see {}.outbox_status",
                            self.schema
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
                    backoff.reset();
                    self.poll
                }
                Ok(Step::Outage(why)) => {
                    self.outages.outbox.report_success();
                    self.outages.kafka.report_failure(&why);
                    counter!("relay_outages_total", "schema" => self.schema).increment(1);
                    failed = true;
                    backoff.after_failure()
                }
                Err(error) => {
                    if error.is_unavailable() {
                        self.outages.outbox.report_failure(&one_line(&error));
                    } else {
                        error!("the outbox failed; retrying: {}", one_line(&error));
                    }
                    counter!("relay_store_failures_total", "schema" => self.schema).increment(1);
                    failed = true;
                    backoff.after_failure()
                }
            };
            let waited = async {
                if failed {
                    // New events do not end an outage, so wakeups are ignored.
                    tokio::time::sleep(wait).await;
                } else {
                    self.wakeups.wait(wait).await;
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = waited => {}
            }
        }
    }
}

/// Describes the counters of the workers.
pub(crate) fn describe() {
    for (name, meaning) in [
        ("relay_published_total", "Events that Kafka has acknowledged"),
        (
            "relay_unpublished_total",
            "Events that were not published: they failed, or wait for a failed event",
        ),
        (
            "relay_outages_total",
            "Batches that failed because Kafka or the schema registry was unavailable",
        ),
        ("relay_store_failures_total", "Batches that failed because Postgres failed"),
    ] {
        describe_counter!(name, meaning);
    }
}
