//! Creates and drops the day partitions of the outbox.

use adapter_postgres::housekeeping::Round;
use adapter_postgres::{Database, PgError};
use application::StoreError;
use application::dead_letters::DeadLetters;
use application::housekeeping::delete_in_chunks;
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{PgExecutor, Postgres, Transaction};

use crate::PgOutboxDeadLetters;

/// Begins a step.
///
/// While a step waits for its lock, writers queue behind it. So the timeout is short, and a step that
/// does not get its lock is left to the next round.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '200ms'";

/// SQLSTATE of a lock timeout.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Result of a round.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DaysReport {
    /// Partitions created.
    pub created: u64,
    /// Partitions dropped.
    pub dropped: u64,
    /// Old partitions that were kept because an event in them is not processed yet.
    pub needed: u64,
    /// Steps left to the next round because another session held a lock.
    pub postponed: u64,
    /// Events deleted from the default partition, which has the events of days without a partition.
    pub strays_deleted: u64,
    /// Old dead letters deleted: retried ones, and discarded ones whose event was deleted before.
    pub dead_letters_deleted: u64,
}

/// A step that needs a lock.
#[derive(Debug, Clone, Copy)]
enum Step {
    Create(NaiveDate),
    Drop(NaiveDate),
}

/// Result of a step.
#[derive(Debug, Clone, Copy, Default)]
enum Done {
    Yes,
    /// The partition exists already, or an event in it is still needed.
    No,
    /// Another session held a lock.
    Postponed,
    #[default]
    Failed,
}

/// Creates the partitions of today and of the next `days_ahead` days.
///
/// It also runs while the clock of Postgres is not trusted: events are recorded by the same clock and
/// need these partitions.
pub async fn create(
    database: &Database,
    days_ahead: u32,
    round: &mut Round<'_>,
    report: &mut DaysReport,
) {
    let days = round.step("list the days to create", days_to_create(database, days_ahead)).await;
    for day in days {
        let create = run(database, Step::Create(day));
        match round.step("create the partition of a day", create).await {
            Done::Yes => report.created += 1,
            Done::No | Done::Failed => {}
            Done::Postponed => report.postponed += 1,
        }
    }
}

/// Drops the partitions of the days before `moment` whose events are all processed. Also deletes old
/// events from the default partition, and old dead letters.
pub async fn drop_before(
    database: &Database,
    moment: DateTime<Utc>,
    round: &mut Round<'_>,
    report: &mut DaysReport,
) {
    for day in round.step("list the days to drop", days_to_drop(database, moment)).await {
        let drop = run(database, Step::Drop(day));
        match round.step("drop the partition of a day", drop).await {
            Done::Yes => report.dropped += 1,
            Done::No => report.needed += 1,
            Done::Postponed => report.postponed += 1,
            Done::Failed => {}
        }
    }
    let delete = delete_in_chunks(|limit| delete_strays(database, moment, limit));
    report.strays_deleted = round.step("delete old events in the default partition", delete).await;
    let letters = PgOutboxDeadLetters::new(database);
    let delete = delete_in_chunks(|limit| letters.delete_settled(moment.into(), limit));
    report.dead_letters_deleted = round.step("delete old dead letters", delete).await;
}

/// Deletes processed events that were recorded before this moment from the default partition, at most
/// `limit`. Returns how many.
async fn delete_strays(
    database: &Database,
    moment: DateTime<Utc>,
    limit: usize,
) -> Result<u64, StoreError> {
    let delete = sqlx::query!(
        "
        DELETE FROM outbox_default WHERE (lane, position, recorded_at) IN (
            SELECT o.lane, o.position, o.recorded_at
            FROM outbox_default AS o
            JOIN outbox_lanes AS l ON l.lane = o.lane AND o.position <= l.through
            WHERE o.recorded_at < $1
              AND NOT EXISTS (SELECT FROM outbox_stragglers AS s
                              WHERE s.lane = o.lane AND s.position = o.position)
              AND NOT EXISTS (SELECT FROM outbox_gaps AS g
                              WHERE g.lane = o.lane
                                AND o.position BETWEEN g.first_position AND g.last_position)
              AND NOT EXISTS (SELECT FROM outbox_dead_letters AS d
                              WHERE d.lane = o.lane AND d.position = o.position
                                AND d.discarded_at IS NULL)
            LIMIT $2)",
        moment,
        i64::try_from(limit).unwrap_or(i64::MAX)
    );
    Ok(delete.execute(database.pool()).await.map_err(PgError::from)?.rows_affected())
}

async fn days_to_create(database: &Database, ahead: u32) -> Result<Vec<NaiveDate>, PgError> {
    let days = sqlx::query_scalar!(
        r#"
        SELECT (now() AT TIME ZONE 'UTC')::date + ahead AS "day!"
        FROM generate_series(0, $1::integer) AS ahead
        WHERE to_regclass('outbox_' || to_char(
            (now() AT TIME ZONE 'UTC')::date + ahead, 'YYYYMMDD')) IS NULL"#,
        i32::try_from(ahead).unwrap_or(i32::MAX)
    );
    Ok(days.fetch_all(database.pool()).await?)
}

async fn days_to_drop(
    database: &Database,
    before: DateTime<Utc>,
) -> Result<Vec<NaiveDate>, PgError> {
    let mut days = with_partition(database.pool()).await?;
    days.retain(|day| *day < before.date_naive());
    Ok(days)
}

/// The days that have a partition, oldest first.
pub(crate) async fn with_partition(
    executor: impl PgExecutor<'_>,
) -> Result<Vec<NaiveDate>, PgError> {
    let days = sqlx::query_scalar!(
        r#"
        SELECT to_date(substr(relname, 8), 'YYYYMMDD') AS "day!"
        FROM pg_inherits JOIN pg_class ON oid = inhrelid
        WHERE inhparent = 'outbox'::regclass AND relname ~ '^outbox_[0-9]{8}$'
        ORDER BY 1"#
    );
    Ok(days.fetch_all(executor).await?)
}

/// Runs a step in its own transaction, unless another program is running a step.
async fn run(database: &Database, step: Step) -> Result<Done, PgError> {
    let mut transaction = database.pool().begin_with(BEGIN).await?;
    if !try_lock(&mut transaction).await? {
        return Ok(Done::Postponed);
    }
    let done = match step {
        Step::Create(day) => {
            sqlx::query_scalar!(r#"SELECT create_outbox_day($1) AS "created!""#, day)
                .fetch_one(&mut *transaction)
                .await
        }
        Step::Drop(day) => {
            sqlx::query_scalar!(r#"SELECT drop_outbox_day($1) AS "dropped!""#, day)
                .fetch_one(&mut *transaction)
                .await
        }
    };
    match done {
        Ok(done) => {
            transaction.commit().await?;
            Ok(if done { Done::Yes } else { Done::No })
        }
        Err(sqlx::Error::Database(error))
            if error.code().as_deref() == Some(LOCK_NOT_AVAILABLE) =>
        {
            Ok(Done::Postponed)
        }
        Err(error) => Err(error.into()),
    }
}

/// Takes the lock for housekeeping until the transaction ends. Returns `false` if another program has
/// it.
async fn try_lock(transaction: &mut Transaction<'static, Postgres>) -> Result<bool, PgError> {
    let locked = sqlx::query_scalar!(
        r#"SELECT pg_try_advisory_xact_lock(hashtext(current_schema() || '.housekeeping')) AS "is_mine!""#
    );
    Ok(locked.fetch_one(&mut **transaction).await?)
}
