//! Gauges of the events that are not published yet. Their label `schema` says in which outbox.

use std::time::Duration;

use adapter_outbox::PgBacklog;
use adapter_postgres::Database;
use application::relay::MeasureBacklog;
use metrics::{describe_gauge, gauge};
use tokio::time::{MissedTickBehavior, interval};

/// How often the gauges are updated.
const EVERY: Duration = Duration::from_secs(5);

/// Updates the gauges, forever. It can be cancelled at any point.
pub(crate) async fn keep_updating(database: &Database) {
    describe();
    let (backlog, schema) = (PgBacklog::new(database), database.schema());
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        update_gauges(&backlog, schema).await;
    }
}

#[allow(clippy::cast_precision_loss, reason = "a gauge is a double by its format")]
async fn update_gauges(backlog: &impl MeasureBacklog, schema: &'static str) {
    // While the database is down, the gauges keep their last values, and /readyz shows the outage.
    let Ok(backlog) = backlog.measure().await else { return };
    gauge!("outbox_unprocessed_events", "schema" => schema).set(backlog.unprocessed as f64);
    gauge!("outbox_oldest_unprocessed_seconds", "schema" => schema)
        .set(backlog.oldest.as_secs_f64());
    gauge!("outbox_dead_letters", "schema" => schema).set(backlog.dead as f64);
    for (reason, count) in
        [("late", backlog.late), ("failed", backlog.failed), ("held", backlog.held)]
    {
        gauge!("outbox_stragglers", "reason" => reason, "schema" => schema).set(count as f64);
    }
}

fn describe() {
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
