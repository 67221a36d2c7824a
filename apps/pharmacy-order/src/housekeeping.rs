use std::time::Duration;

use adapter_pharmacy::Housekeeping;
use adapter_postgres::{Database, every_hour};
use tokio_util::sync::CancellationToken;

use crate::RetentionArgs;

/// Runs housekeeping every hour until `stop` is cancelled.
pub(crate) async fn run(database: &Database, args: &RetentionArgs, stop: &CancellationToken) {
    let keep = Duration::from_hours(24) * args.dead_letters_retention_days;
    let housekeeping = Housekeeping::new(database, keep);
    every_hour(stop, || async {
        let report = housekeeping.tidy().await;
        tracing::info!(
            dead_letters_deleted = report.dead_letters_deleted,
            clock_doubted = report.clock_doubted,
            failed = report.failed,
            "housekeeping done"
        );
    })
    .await;
}
