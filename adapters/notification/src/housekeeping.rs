use std::time::Duration;

use adapter_postgres::dead_letters::PgDeadLetters;
use adapter_postgres::housekeeping::{CHUNK, Round};
use adapter_postgres::{Database, PgError};
use application::dead_letters::delete_settled_dead_letters;
use chrono::{DateTime, Utc};
use sqlx::PgPool;

/// Reads the next `$2` notifications after the id `$1`. Deletes those that are settled and were recorded
/// before `$3`. Sets `recorded_at` to now if it is in the future, because the clock was ahead then.
///
/// Ids ascend with time, so the last old notification is found without an index on `recorded_at`.
const DELETE_SETTLED: &str = "
    WITH part AS (
        SELECT id, state, recorded_at FROM notifications
        WHERE id > $1 ORDER BY id LIMIT $2
    ), deleted AS (
        DELETE FROM notifications AS kept USING part
        WHERE kept.id = part.id AND kept.state <> 'pending' AND kept.recorded_at < $3
        RETURNING 1
    ), dated AS (
        UPDATE notifications AS kept SET recorded_at = $4 FROM part
        WHERE kept.id = part.id AND kept.recorded_at > $4 + interval '1 day'
        RETURNING 1
    )
    SELECT max(id) AS last,
           coalesce(bool_or(recorded_at < $3), false) OR EXISTS (SELECT FROM dated) AS goes_on,
           (SELECT count(*) FROM deleted) AS deleted
    FROM part";

/// Deletes old rows of the notification context. Several programs may do this at the same time.
#[derive(Debug, Clone)]
pub struct Housekeeping {
    database: Database,
    keep: Retention,
}

/// How long rows are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Dead letters, after they were retried or discarded.
    pub dead_letters: Duration,
    /// Notifications that were sent or have failed, after they were recorded. This MUST be longer than
    /// events can be delivered again: otherwise the notification would be recorded and sent again.
    pub notifications: Duration,
}

/// What one round of housekeeping did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HousekeepingReport {
    /// Dead letters that were deleted.
    pub dead_letters_deleted: u64,
    /// Notifications that were deleted.
    pub notifications_deleted: u64,
    /// Whether the clock of Postgres was not trusted, so that nothing was deleted.
    pub clock_doubted: bool,
    /// Steps that failed. Each was logged.
    pub failed: u64,
}

impl Housekeeping {
    /// Housekeeping in this database.
    #[must_use]
    pub fn new(database: &Database, keep: Retention) -> Self {
        Self { database: database.clone(), keep }
    }

    /// Runs one round. A step that fails is logged, and the next round tries it again.
    pub async fn tidy(&self) -> HousekeepingReport {
        let pool = self.database.pool();
        let mut round = Round::begin(&self.database);
        let mut report = HousekeepingReport::default();
        if let Some(now) = round.time().await {
            let letters = PgDeadLetters::new(&self.database);
            let before = now - self.keep.dead_letters;
            let delete = delete_settled_dead_letters(&letters, before.into());
            report.dead_letters_deleted = round.step("delete settled dead letters", delete).await;
            let delete = delete_settled(pool, now, now - self.keep.notifications);
            report.notifications_deleted = round.step("delete settled notifications", delete).await;
        }
        report.clock_doubted = round.clock_doubted;
        report.failed = round.failed;
        report
    }
}

async fn delete_settled(
    pool: &PgPool,
    now: DateTime<Utc>,
    before: DateTime<Utc>,
) -> Result<u64, PgError> {
    let (mut total, mut after) = (0, i64::MIN);
    loop {
        let query = sqlx::query_as(DELETE_SETTLED).bind(after).bind(CHUNK).bind(before).bind(now);
        let (last, goes_on, deleted): (Option<i64>, bool, i64) = query.fetch_one(pool).await?;
        total += deleted.unsigned_abs();
        match last {
            Some(last) if goes_on => after = last,
            _ => return Ok(total),
        }
    }
}
