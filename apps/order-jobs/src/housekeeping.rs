//! Housekeeping of the outbox, and its metrics.

use std::time::Duration;

use adapter_ordering::{Housekeeping, Retention};
use adapter_outbox::PgBacklog;
use adapter_postgres::{Database, every_hour};
use application::relay::MeasureBacklog;
use metrics::{describe_counter, describe_gauge, gauge};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::RelayArgs;

/// How often the gauges are updated.
const MEASURE_EVERY: Duration = Duration::from_secs(5);

/// Runs housekeeping and updates the gauges until `stop` is cancelled. The next round retries what
/// failed.
pub(crate) async fn run(database: &Database, args: &RelayArgs, stop: &CancellationToken) {
    let days = |days: u32| Duration::from_hours(24) * days;
    let keep = Retention {
        events: days(args.outbox_retention_days),
        answers: days(args.idempotency_retention_days),
        ..Retention::default()
    };
    let housekeeping = Housekeeping::new(database, keep);
    describe();
    let tidying = every_hour(stop, || tidy(&housekeeping));
    let backlog = PgBacklog::new(database);
    let measuring = every(MEASURE_EVERY, || update_gauges(&backlog));
    // All of this can be cancelled at any point.
    tokio::select! {
        () = stop.cancelled() => {}
        () = tidying => {}
        () = measuring => {}
    }
}

async fn every<F: Future<Output = ()>>(period: Duration, work: impl Fn() -> F) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        work().await;
    }
}

async fn tidy(housekeeping: &Housekeeping) {
    let report = housekeeping.tidy().await;
    info!(
        created = report.days.created,
        dropped = report.days.dropped,
        needed = report.days.needed,
        postponed = report.days.postponed,
        strays_deleted = report.days.strays_deleted,
        dead_letters_deleted = report.days.dead_letters_deleted,
        answers_deleted = report.answers_deleted,
        clock_doubted = report.clock_doubted,
        failed = report.failed,
        "housekeeping done"
    );
}

#[allow(clippy::cast_precision_loss, reason = "a gauge is a double by its format")]
async fn update_gauges(backlog: &impl MeasureBacklog) {
    // While the database is down, the gauges keep their last values, and /readyz shows the outage.
    let Ok(backlog) = backlog.measure().await else { return };
    gauge!("outbox_unprocessed_events").set(backlog.unprocessed as f64);
    gauge!("outbox_oldest_unprocessed_seconds").set(backlog.oldest.as_secs_f64());
    gauge!("outbox_dead_letters").set(backlog.dead as f64);
    for (reason, count) in
        [("late", backlog.late), ("failed", backlog.failed), ("held", backlog.held)]
    {
        gauge!("outbox_stragglers", "reason" => reason).set(count as f64);
    }
}

fn describe() {
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
    describe_gauge!("outbox_unprocessed_events", "Events that are not published yet");
    describe_gauge!(
        "outbox_oldest_unprocessed_seconds",
        "Age of the oldest event that is not published yet"
    );
    describe_gauge!("outbox_dead_letters", "Open dead letters: events that Kafka refused");
    describe_gauge!(
        "outbox_stragglers",
        "Positions that a cursor has passed and that are not processed"
    );
}
