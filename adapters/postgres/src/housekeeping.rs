//! What every context's housekeeping shares: a clock that is not believed blindly, steps that do not
//! stop each other, and deleting in small chunks.

mod clock;

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::{counter, describe_counter, describe_gauge, gauge};
use sqlx::PgPool;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use application::one_line;
pub use clock::ClockStatements;

use super::PgError;
use super::timeouts::within;

/// How often there is a round.
const EVERY: Duration = Duration::from_hours(1);

/// How long one step may take; what is left is for the next round.
const STEP: Duration = Duration::from_mins(5);

/// Rows that one statement changes at most, so that none takes long.
pub const CHUNK: i64 = 5_000;

/// Runs a round of housekeeping at once and then every hour, until told to stop.
pub async fn every_hour<F: Future<Output = ()>>(stop: &CancellationToken, round: impl Fn() -> F) {
    let mut turns = interval(EVERY);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let rounds = async {
        loop {
            turns.tick().await;
            // Boxed so that callers' futures stay small.
            Box::pin(round()).await;
        }
    };
    // A round can be stopped at any point: each step is whole or has not happened.
    stop.run_until_cancelled(rounds).await;
}

/// A round of housekeeping in one schema. A step that fails is logged and counted, and the others go
/// on: what can be done is done.
#[derive(Debug)]
pub struct Round<'d> {
    pool: &'d PgPool,
    schema: &'static str,
    /// Steps that failed so far.
    pub failed: u64,
    /// Whether the clock of Postgres was not believed.
    pub clock_doubted: bool,
}

impl<'d> Round<'d> {
    /// Begins a round in this schema.
    #[must_use]
    pub fn begin(pool: &'d PgPool, schema: &'static str) -> Self {
        describe_counter!("housekeeping_failures_total", "Steps of housekeeping that failed");
        describe_gauge!(
            "housekeeping_clock_doubted",
            "1 while the clock of Postgres is not believed, so that nothing is deleted"
        );
        Self { pool, schema, failed: 0, clock_doubted: false }
    }

    /// Does one step; if it fails, its default is the answer.
    pub async fn step<T: Default, E: Error + From<PgError> + 'static>(
        &mut self,
        what: &'static str,
        work: impl Future<Output = Result<T, E>>,
    ) -> T {
        within(STEP, work).await.unwrap_or_else(|error: E| {
            let schema = self.schema;
            tracing::warn!(
                schema,
                "cannot {what}; the next round tries again: {}",
                one_line(&error)
            );
            counter!("housekeeping_failures_total", "schema" => schema).increment(1);
            self.failed += 1;
            T::default()
        })
    }

    /// What time it is, if the clock of Postgres can be believed; then old things may be deleted.
    pub async fn time(&mut self, sql: &ClockStatements) -> Option<DateTime<Utc>> {
        let (pool, schema) = (self.pool, self.schema);
        let told = self.step("read the clock", async { clock::read(pool, sql).await.map(Some) });
        let reading = told.await?;
        self.clock_doubted = !reading.is_believed;
        gauge!("housekeeping_clock_doubted", "schema" => schema).set(u8::from(self.clock_doubted));
        if reading.is_believed {
            return Some(reading.now);
        }
        tracing::warn!(
            schema,
            clock = %reading.now,
            believed = %reading.believed_at,
            "the clock of Postgres jumped, or there was no housekeeping for more than a day; nothing \
             is deleted before {} more hourly rounds have read this clock, or it is set right",
            reading.rounds_left,
        );
        None
    }

    /// Runs the statement, which takes a moment and a number of rows, until it finds no more rows.
    /// Answers how many it changed.
    pub async fn in_chunks(
        &mut self,
        what: &'static str,
        statement: &'static str,
        moment: DateTime<Utc>,
    ) -> u64 {
        let pool = self.pool;
        let all = async {
            let mut changed = 0;
            loop {
                let query = sqlx::query(statement).bind(moment).bind(CHUNK);
                match query.execute(pool).await?.rows_affected() {
                    0 => return Ok::<_, PgError>(changed),
                    rows => changed += rows,
                }
            }
        };
        self.step(what, all).await
    }
}
