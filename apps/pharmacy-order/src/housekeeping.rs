use std::time::Duration;

use adapter_pharmacy::{Housekeeping, Retention};
use adapter_postgres::{Database, every_hour};
use tokio_util::sync::CancellationToken;

/// Runs housekeeping every hour until `stop` is cancelled.
pub(crate) async fn run(database: &Database, keep: Retention, stop: &CancellationToken) {
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
            clock_doubted = report.clock_doubted,
            failed = report.failed,
            "housekeeping done"
        );
    })
    .await;
}

/// How long rows are kept.
pub(crate) fn retention(config: &crate::Config) -> Retention {
    let days = |days: u32| Duration::from_hours(24) * days;
    Retention {
        events: days(config.relay.outbox_retention_days),
        dead_letters: days(config.retention.dead_letters_retention_days),
    }
}
