//! What keeps the outbox in shape, and shows operators how it is.

use std::time::Duration;

use adapters::one_line;
use adapters::postgres::Database;
use adapters::postgres::ordering::{Backlog, Housekeeping, Keep};
use metrics::{describe_gauge, gauge};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::RelayArgs;

/// How often partitions are made ahead and dropped.
const TIDY_EVERY: Duration = Duration::from_hours(1);

/// How often the gauges are brought up to date.
const MEASURE_EVERY: Duration = Duration::from_secs(5);

/// Keeps house and measures, until told to stop. What fails is tried again at the next turn.
pub(crate) async fn run(database: &Database, args: &RelayArgs, stop: &CancellationToken) {
    let keep =
        Keep { events: Duration::from_hours(24) * args.outbox_retention_days, ..Keep::default() };
    let housekeeping = Housekeeping::new(database, keep);
    describe();
    let (mut tidy, mut measure) = (interval(TIDY_EVERY), interval(MEASURE_EVERY));
    measure.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tidy.tick() => keep_house(&housekeeping).await,
            _ = measure.tick() => show(database).await,
        }
    }
}

async fn keep_house(housekeeping: &Housekeeping) {
    match housekeeping.tidy().await {
        Ok(done) => info!(
            created = done.days_created,
            dropped = done.days_dropped,
            needed = done.days_needed,
            postponed = done.postponed,
            "kept house in the outbox"
        ),
        Err(error) => warn!("the outbox cannot be kept in shape: {}", one_line(&error)),
    }
}

#[allow(clippy::cast_precision_loss, reason = "a gauge is a double by its format")]
async fn show(database: &Database) {
    // While the database is down the last figures stand; /readyz tells that it is.
    let Ok(backlog) = Backlog::measure(database).await else { return };
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
    describe_gauge!("outbox_unprocessed_events", "Events not yet published");
    describe_gauge!(
        "outbox_oldest_unprocessed_seconds",
        "How long the oldest event not yet published has been waiting"
    );
    describe_gauge!("outbox_dead_letters", "Events that wait for an operator's decision");
    describe_gauge!("outbox_stragglers", "Positions the cursors passed that are not processed");
}
