use std::time::Duration;

use adapter_notification::{Housekeeping, Retention};
use adapter_postgres::{Database, every_hour};
use tokio_util::sync::CancellationToken;

use crate::RetentionArgs;

/// Runs housekeeping every hour until `stop` is cancelled.
pub(crate) async fn run(database: &Database, args: &RetentionArgs, stop: &CancellationToken) {
    let days = |days: u32| Duration::from_hours(24) * days;
    let keep = Retention {
        dead_letters: days(args.dead_letters_retention_days),
        notifications: days(args.notifications_retention_days),
        attempts: days(args.attempts_retention_days),
    };
    let housekeeping = Housekeeping::new(database, keep);
    every_hour(stop, || async {
        let report = housekeeping.tidy().await;
        tracing::info!(
            notifications_deleted = report.notifications_deleted,
            calls_deleted = report.calls_deleted,
            orders_deleted = report.orders_deleted,
            attempt_days_dropped = report.attempt_days_dropped,
            dead_letters_deleted = report.dead_letters_deleted,
            clock_doubted = report.clock_doubted,
            failed = report.failed,
            "housekeeping done"
        );
    })
    .await;
}
