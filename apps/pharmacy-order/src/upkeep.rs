use std::time::Duration;

use adapter_pharmacy::Housekeeping;
use adapter_postgres::{Database, every_hour};
use tokio_util::sync::CancellationToken;

use crate::RetentionArgs;

/// Deletes what was settled long ago, every hour, until told to stop.
pub(crate) async fn run(database: &Database, args: &RetentionArgs, stop: &CancellationToken) {
    let keep = Duration::from_hours(24) * args.dead_letters_retention_days;
    let housekeeping = Housekeeping::new(database, keep);
    every_hour(stop, || async {
        let done = housekeeping.tidy().await;
        tracing::info!(
            dead_letters_deleted = done.dead_letters_deleted,
            clock_doubted = done.clock_doubted,
            failed = done.failed,
            "kept house"
        );
    })
    .await;
}
