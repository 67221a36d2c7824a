//! The day partitions of the outbox: one for every day to come, none that nobody needs.

use adapter_postgres::housekeeping::Round;
use adapter_postgres::{Database, PgError};
use application::StoreError;
use application::dead_letters::DeadLetters;
use application::housekeeping::delete_in_chunks;
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{Postgres, Transaction};

use crate::PgOutboxDeadLetters;

/// Begins a step. Writers queue behind a lock that is waited for, so the wait is short: what cannot
/// be had now is tried again next time.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '200ms'";

/// SQLSTATE of a lock that was not to be had in time.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// What was done in a round.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DaysReport {
    /// Partitions made.
    pub created: u64,
    /// Partitions dropped.
    pub dropped: u64,
    /// Partitions old enough to be dropped, kept because something in them is still needed.
    pub needed: u64,
    /// Steps put off because somebody else was in the way.
    pub postponed: u64,
    /// Events deleted from the default partition, which takes what has no day partition.
    pub strays_deleted: u64,
    /// Dead letters deleted that were retried long ago, or were discarded and whose events are gone.
    pub letters_deleted: u64,
}

/// A step that needs a lock.
#[derive(Debug, Clone, Copy)]
enum Step {
    Create(NaiveDate),
    Drop(NaiveDate),
}

/// What became of a step that needs a lock.
#[derive(Debug, Clone, Copy, Default)]
enum Done {
    Yes,
    No,
    Postponed,
    #[default]
    Failed,
}

/// Makes the partitions of today and of so many days ahead.
///
/// Even by a clock that is wrong: what is recorded by that clock has a place then.
pub async fn create(
    database: &Database,
    days_ahead: u32,
    round: &mut Round<'_>,
    tidied: &mut DaysReport,
) {
    let days = round.step("list the days to create", days_to_create(database, days_ahead)).await;
    for day in days {
        let create = run(database, Step::Create(day));
        match round.step("create the partition of a day", create).await {
            Done::Yes => tidied.created += 1,
            Done::No | Done::Failed => {}
            Done::Postponed => tidied.postponed += 1,
        }
    }
}

/// Drops the days before this moment whose events are all processed.
pub async fn drop_before(
    database: &Database,
    moment: DateTime<Utc>,
    round: &mut Round<'_>,
    tidied: &mut DaysReport,
) {
    for day in round.step("list the days to drop", days_to_drop(database, moment)).await {
        let drop = run(database, Step::Drop(day));
        match round.step("drop the partition of a day", drop).await {
            Done::Yes => tidied.dropped += 1,
            Done::No => tidied.needed += 1,
            Done::Postponed => tidied.postponed += 1,
            Done::Failed => {}
        }
    }
    let delete = delete_in_chunks(|limit| delete_strays(database, moment, limit));
    tidied.strays_deleted = round.step("delete old events in the default partition", delete).await;
    let letters = PgOutboxDeadLetters::new(database);
    let delete = delete_in_chunks(|limit| letters.delete_settled(moment.into(), limit));
    tidied.letters_deleted = round.step("delete settled dead letters", delete).await;
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
    let days = sqlx::query_scalar!(
        r#"
        SELECT day AS "day!" FROM (
            SELECT to_date(substr(relname, 8), 'YYYYMMDD') AS day
            FROM pg_inherits JOIN pg_class ON oid = inhrelid
            WHERE inhparent = 'outbox'::regclass AND relname ~ '^outbox_[0-9]{8}$'
        ) AS days
        WHERE day < ($1::timestamptz AT TIME ZONE 'UTC')::date
        ORDER BY day"#,
        before
    );
    Ok(days.fetch_all(database.pool()).await?)
}

/// Runs a step in a transaction of its own, if nobody else is at it.
async fn run(database: &Database, step: Step) -> Result<Done, PgError> {
    let mut transaction = database.pool().begin_with(BEGIN).await?;
    if !is_mine(&mut transaction).await? {
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

/// Whether this transaction, until its end, is the one that keeps house.
async fn is_mine(transaction: &mut Transaction<'static, Postgres>) -> Result<bool, PgError> {
    let is_mine = sqlx::query_scalar!(
        r#"SELECT pg_try_advisory_xact_lock(hashtext(current_schema() || '.housekeeping')) AS "is_mine!""#
    );
    Ok(is_mine.fetch_one(&mut **transaction).await?)
}
