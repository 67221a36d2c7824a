use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{Postgres, Transaction};

use crate::housekeeping::{ClockStatements, Round, clock_statements};
use crate::{Database, PgError};

/// Begins a step. Writers queue behind a lock that is waited for, so the wait is short: what cannot
/// be had now is tried again next time.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '200ms'";

/// SQLSTATE of a lock that was not to be had in time.
const LOCK_NOT_AVAILABLE: &str = "55P03";

static CLOCK: ClockStatements = clock_statements!("ordering");

const DAYS_TO_CREATE: &str = "
    SELECT (now() AT TIME ZONE 'UTC')::date + ahead
    FROM generate_series(0, $1::integer) AS ahead
    WHERE to_regclass('ordering.outbox_' || to_char(
        (now() AT TIME ZONE 'UTC')::date + ahead, 'YYYYMMDD')) IS NULL";

const DAYS_TO_DROP: &str = "
    SELECT day FROM (
        SELECT to_date(substr(relname, 8), 'YYYYMMDD') AS day
        FROM pg_inherits JOIN pg_class ON oid = inhrelid
        WHERE inhparent = 'ordering.outbox'::regclass AND relname ~ '^outbox_[0-9]{8}$'
    ) AS days
    WHERE day < ($1::timestamptz AT TIME ZONE 'UTC')::date
    ORDER BY day";

/// Deletes what is old and processed in the default partition.
const DELETE_STRAYS: &str = "
    DELETE FROM ordering.outbox_default WHERE (lane, position, recorded_at) IN (
        SELECT o.lane, o.position, o.recorded_at
        FROM ordering.outbox_default AS o
        JOIN ordering.outbox_lanes AS l ON l.lane = o.lane AND o.position <= l.through
        WHERE o.recorded_at < $1
          AND NOT EXISTS (SELECT FROM ordering.outbox_stragglers AS s
                          WHERE s.lane = o.lane AND s.position = o.position)
          AND NOT EXISTS (SELECT FROM ordering.outbox_gaps AS g
                          WHERE g.lane = o.lane
                            AND o.position BETWEEN g.first_position AND g.last_position)
          AND NOT EXISTS (SELECT FROM ordering.outbox_dead_letters AS d
                          WHERE d.lane = o.lane AND d.position = o.position
                            AND d.discarded_at IS NULL)
        LIMIT $2)";

/// Deletes discarded dead letters whose events are gone. As long as an event is there, its letter
/// keeps it from being published by a replay.
const DELETE_LETTERS: &str = "
    DELETE FROM ordering.outbox_dead_letters WHERE (lane, position) IN (
        SELECT d.lane, d.position
        FROM ordering.outbox_dead_letters AS d
        WHERE d.discarded_at < $1
          AND NOT EXISTS (SELECT FROM ordering.outbox AS o
                          WHERE o.lane = d.lane AND o.position = d.position)
        LIMIT $2)";

/// Deletes what is known of retries long ago.
const DELETE_RETRIED: &str = "
    DELETE FROM ordering.outbox_retried_dead_letters WHERE event_id IN (
        SELECT event_id FROM ordering.outbox_retried_dead_letters
        WHERE retried_at < $1 LIMIT $2)";

/// Forgets what was answered long ago.
const FORGET_ANSWERS: &str = "
    DELETE FROM ordering.causes WHERE (kind, key) IN (
        SELECT kind, key FROM ordering.causes
        WHERE answered_at < $1 ORDER BY answered_at LIMIT $2)";

/// Dates answers that a clock which was ahead has put into the future; they would never grow old.
const DATE_ANSWERS: &str = "
    UPDATE ordering.causes SET answered_at = $1 WHERE (kind, key) IN (
        SELECT kind, key FROM ordering.causes
        WHERE answered_at > $1 + interval '1 day' LIMIT $2)";

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
    /// Dead letters deleted that were retried long ago, or were discarded and whose events are gone.
    pub letters_deleted: u64,
    /// Answers forgotten.
    pub answers_forgotten: u64,
    /// Whether the clock of Postgres was not believed, so that nothing was deleted.
    pub clock_doubted: bool,
    /// Steps that failed; each was logged.
    pub failed: u64,
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

impl Housekeeping {
    /// Housekeeping in this database.
    #[must_use]
    pub fn new(database: &Database, keep: Keep) -> Self {
        Self { database: database.clone(), keep }
    }

    /// Does all there is to do now. Once an hour is enough. What fails is logged and left to the next
    /// round; the other steps are done all the same.
    pub async fn tidy(&self) -> Tidied {
        let mut round = Round::begin(self.database.pool(), "ordering");
        let mut tidied = Tidied::default();
        // Even by a clock that is wrong: what is recorded by that clock has a place then.
        for day in round.step("list the days to create", self.days_to_create()).await {
            match round.step("create the partition of a day", self.create_day(day)).await {
                Done::Yes => tidied.days_created += 1,
                Done::No | Done::Failed => {}
                Done::Postponed => tidied.postponed += 1,
            }
        }
        if let Some(now) = round.time(&CLOCK).await {
            self.delete_what_is_old(now, &mut round, &mut tidied).await;
        }
        tidied.clock_doubted = round.clock_doubted;
        tidied.failed = round.failed;
        tidied
    }

    async fn delete_what_is_old(
        &self,
        now: DateTime<Utc>,
        round: &mut Round<'_>,
        tidied: &mut Tidied,
    ) {
        let events_before = now - self.keep.events;
        for day in round.step("list the days to drop", self.days_to_drop(events_before)).await {
            match round.step("drop the partition of a day", self.drop_day(day)).await {
                Done::Yes => tidied.days_dropped += 1,
                Done::No => tidied.days_needed += 1,
                Done::Postponed => tidied.postponed += 1,
                Done::Failed => {}
            }
        }
        tidied.strays_deleted =
            round.in_chunks("delete old events without a day", DELETE_STRAYS, events_before).await;
        tidied.letters_deleted =
            round.in_chunks("delete discarded dead letters", DELETE_LETTERS, events_before).await;
        tidied.letters_deleted +=
            round.in_chunks("delete retried dead letters", DELETE_RETRIED, events_before).await;
        round.in_chunks("date answers of the future", DATE_ANSWERS, now).await;
        tidied.answers_forgotten =
            round.in_chunks("forget old answers", FORGET_ANSWERS, now - self.keep.answers).await;
    }

    async fn days_to_create(&self) -> Result<Vec<NaiveDate>, PgError> {
        let ahead = i32::try_from(self.keep.days_ahead).unwrap_or(i32::MAX);
        let query = sqlx::query_scalar(DAYS_TO_CREATE).bind(ahead);
        Ok(query.fetch_all(self.database.pool()).await?)
    }

    async fn days_to_drop(&self, before: DateTime<Utc>) -> Result<Vec<NaiveDate>, PgError> {
        let query = sqlx::query_scalar(DAYS_TO_DROP).bind(before);
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
}

/// Whether this transaction, until its end, is the one that keeps house.
async fn is_mine(transaction: &mut Transaction<'static, Postgres>) -> Result<bool, PgError> {
    let query = "SELECT pg_try_advisory_xact_lock(hashtext('ordering.housekeeping'))";
    Ok(sqlx::query_scalar(query).fetch_one(&mut **transaction).await?)
}
