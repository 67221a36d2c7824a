use std::time::Duration;

use application::StoreError;
use chrono::NaiveDate;
use sqlx::{Postgres, Transaction};

use crate::postgres::patience::within;
use crate::postgres::{Database, PgError};

/// Begins a step. Writers queue behind a lock that is waited for, so the wait is short: what cannot
/// be had now is tried again next time.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '200ms'";

/// How long one round may take; the next goes on where it was given up.
const TIDYING: Duration = Duration::from_mins(5);

/// Rows deleted by one statement, so that none takes long.
const CHUNK: i64 = 5_000;

/// SQLSTATE of a lock that was not to be had in time.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Keeps the outbox in shape: a partition for every day to come, none that nobody needs.
///
/// Several programs may do it at once; one of them does the work.
#[derive(Debug, Clone)]
pub struct Housekeeping {
    database: Database,
    keep: Keep,
}

/// How much is kept, and prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Days that have their partition before they begin.
    pub days_ahead: u32,
    /// How long processed events are kept, for replays. Whole days are dropped.
    pub events: Duration,
    /// How long answers to repeated requests are kept.
    pub answers: Duration,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            days_ahead: 7,
            events: Duration::from_hours(7 * 24),
            answers: Duration::from_hours(7 * 24),
        }
    }
}

/// What one round of housekeeping did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tidied {
    /// Partitions made.
    pub days_created: u64,
    /// Partitions dropped.
    pub days_dropped: u64,
    /// Partitions old enough to be dropped, kept because something in them is still needed.
    pub days_needed: u64,
    /// Steps put off because somebody else was in the way.
    pub postponed: u64,
    /// Events deleted from the default partition, which takes what has no day partition.
    pub strays_deleted: u64,
    /// Answers forgotten.
    pub answers_forgotten: u64,
}

/// What became of a step that needs a lock.
enum Done {
    Yes,
    No,
    Postponed,
}

impl Housekeeping {
    /// Housekeeping in this database.
    #[must_use]
    pub fn new(database: &Database, keep: Keep) -> Self {
        Self { database: database.clone(), keep }
    }

    /// Does all there is to do now. Once an hour is enough.
    ///
    /// # Errors
    /// When the database cannot be reached. What was done stays done.
    pub async fn tidy(&self) -> Result<Tidied, StoreError> {
        Ok(within(TIDYING, self.tidy_all()).await?)
    }

    async fn tidy_all(&self) -> Result<Tidied, PgError> {
        let mut tidied = Tidied::default();
        for day in self.days_to_create().await? {
            match self.create_day(day).await? {
                Done::Yes => tidied.days_created += 1,
                Done::No => {}
                Done::Postponed => tidied.postponed += 1,
            }
        }
        for day in self.days_to_drop().await? {
            match self.drop_day(day).await? {
                Done::Yes => tidied.days_dropped += 1,
                Done::No => tidied.days_needed += 1,
                Done::Postponed => tidied.postponed += 1,
            }
        }
        tidied.strays_deleted = self.delete_strays().await?;
        tidied.answers_forgotten = self.forget_answers().await?;
        Ok(tidied)
    }

    async fn days_to_create(&self) -> Result<Vec<NaiveDate>, PgError> {
        let query = "SELECT (now() AT TIME ZONE 'UTC')::date + ahead
                     FROM generate_series(0, $1::integer) AS ahead
                     WHERE to_regclass('ordering.outbox_' || to_char(
                         (now() AT TIME ZONE 'UTC')::date + ahead, 'YYYYMMDD')) IS NULL";
        let ahead = i32::try_from(self.keep.days_ahead).unwrap_or(i32::MAX);
        Ok(sqlx::query_scalar(query).bind(ahead).fetch_all(self.database.pool()).await?)
    }

    async fn days_to_drop(&self) -> Result<Vec<NaiveDate>, PgError> {
        let query = "
            SELECT day FROM (
                SELECT to_date(substr(relname, 8), 'YYYYMMDD') AS day
                FROM pg_inherits JOIN pg_class ON oid = inhrelid
                WHERE inhparent = 'ordering.outbox'::regclass AND relname ~ '^outbox_[0-9]{8}$'
            ) AS days
            WHERE day < ((now() - make_interval(secs => $1)) AT TIME ZONE 'UTC')::date
            ORDER BY day";
        let query = sqlx::query_scalar(query).bind(self.keep.events.as_secs_f64());
        Ok(query.fetch_all(self.database.pool()).await?)
    }

    async fn create_day(&self, day: NaiveDate) -> Result<Done, PgError> {
        self.step("SELECT ordering.create_outbox_day($1)", day).await
    }

    async fn drop_day(&self, day: NaiveDate) -> Result<Done, PgError> {
        self.step("SELECT ordering.drop_outbox_day($1)", day).await
    }

    /// Runs a step in a transaction of its own, if nobody else is at it.
    async fn step(&self, query: &'static str, day: NaiveDate) -> Result<Done, PgError> {
        let mut transaction = self.database.pool().begin_with(BEGIN).await?;
        if !is_mine(&mut transaction).await? {
            return Ok(Done::Postponed);
        }
        let done = sqlx::query_scalar(query).bind(day).fetch_one(&mut *transaction).await;
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

    /// Deletes what is old and processed in the default partition.
    async fn delete_strays(&self) -> Result<u64, PgError> {
        let query = "
            DELETE FROM ordering.outbox_default WHERE (lane, position, recorded_at) IN (
                SELECT o.lane, o.position, o.recorded_at
                FROM ordering.outbox_default AS o
                JOIN ordering.outbox_lanes AS l ON l.lane = o.lane AND o.position <= l.through
                WHERE o.recorded_at < now() - make_interval(secs => $1)
                  AND NOT EXISTS (SELECT FROM ordering.outbox_stragglers AS s
                                  WHERE s.lane = o.lane AND s.position = o.position)
                  AND NOT EXISTS (SELECT FROM ordering.outbox_dead_letters AS d
                                  WHERE d.lane = o.lane AND d.position = o.position
                                    AND d.discarded_at IS NULL)
                LIMIT $2)";
        self.delete(query, self.keep.events).await
    }

    /// Forgets what was answered long ago.
    async fn forget_answers(&self) -> Result<u64, PgError> {
        let query = "
            DELETE FROM ordering.causes WHERE (kind, key) IN (
                SELECT kind, key FROM ordering.causes
                WHERE answered_at < now() - make_interval(secs => $1)
                ORDER BY answered_at LIMIT $2)";
        self.delete(query, self.keep.answers).await
    }

    async fn delete(&self, query: &'static str, keep: Duration) -> Result<u64, PgError> {
        let mut deleted = 0;
        loop {
            let query = sqlx::query(query).bind(keep.as_secs_f64()).bind(CHUNK);
            match query.execute(self.database.pool()).await?.rows_affected() {
                0 => return Ok(deleted),
                rows => deleted += rows,
            }
        }
    }
}

/// Whether this transaction, until its end, is the one that keeps house.
async fn is_mine(transaction: &mut Transaction<'static, Postgres>) -> Result<bool, PgError> {
    let query = "SELECT pg_try_advisory_xact_lock(hashtext('ordering.housekeeping'))";
    Ok(sqlx::query_scalar(query).fetch_one(&mut **transaction).await?)
}
