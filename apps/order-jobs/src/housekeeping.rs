use std::time::Duration;

use adapter_ordering::{Housekeeping, Retention};
use adapter_postgres::{Database, every_hour};
use tokio_util::sync::CancellationToken;

use crate::Config;

/// Runs housekeeping every hour until `stop` is cancelled. The next round retries what failed.
pub(crate) async fn run(database: &Database, config: &Config, stop: &CancellationToken) {
    let days = |days: u32| Duration::from_hours(24) * days;
    let keep = Retention {
        events: days(config.relay.outbox_retention_days),
        answers: days(config.retention.idempotency_retention_days),
        dead_letters: days(config.retention.dead_letters_retention_days),
        ..Retention::default()
    };
    let housekeeping = Housekeeping::new(database, keep);
    every_hour(stop, || async {
        let report = housekeeping.tidy().await;
        tracing::info!(
            created = report.days.created,
            dropped = report.days.dropped,
            needed = report.days.needed,
            postponed = report.days.postponed,
            strays_deleted = report.days.strays_deleted,
            events_deleted = report.days.dead_letters_deleted,
            dead_letters_deleted = report.dead_letters_deleted,
            answers_deleted = report.answers_deleted,
            clock_doubted = report.clock_doubted,
            failed = report.failed,
            "housekeeping done"
        );
    })
    .await;
}
