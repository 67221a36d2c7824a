//! The shared parts of housekeeping: a check of the database clock, steps that fail independently, and
//! deletion in small chunks.

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

use super::timeouts::within;
use super::{Database, PgError};

/// The interval between two rounds.
const EVERY: Duration = Duration::from_hours(1);

/// How long one step may take. The next round does the rest.
const STEP: Duration = Duration::from_mins(5);

/// Runs a round of housekeeping now and then every hour, until `stop` is cancelled.
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
    // A round can be stopped at any point: each statement is either committed or rolled back.
    stop.run_until_cancelled(rounds).await;
}

/// A round of housekeeping in one schema. If a step fails, it is logged and counted, and the other
/// steps run anyway.
#[derive(Debug)]
pub struct Round<'d> {
    pool: &'d PgPool,
    schema: &'static str,
    /// Steps that failed so far.
    pub failed: u64,
    /// Whether the clock of Postgres was not trusted.
    pub clock_doubted: bool,
}

impl<'d> Round<'d> {
    /// Begins a round in the schema of this database.
    #[must_use]
    pub fn begin(database: &'d Database) -> Self {
        describe_counter!(
            "housekeeping_failures_total",
            "Housekeeping steps that failed; the next hourly round retries them"
        );
        describe_gauge!(
            "housekeeping_clock_doubted",
            "1 while the clock of Postgres is not trusted; nothing is deleted until it is"
        );
        let (pool, schema) = (database.pool(), database.schema());
        Self { pool, schema, failed: 0, clock_doubted: false }
    }

    /// Runs one step. Returns the default value if it fails.
    pub async fn step<T: Default, E: Error + From<PgError> + 'static>(
        &mut self,
        what: &'static str,
        work: impl Future<Output = Result<T, E>>,
    ) -> T {
        within(STEP, work).await.unwrap_or_else(|error: E| {
            let schema = self.schema;
            tracing::warn!(
                schema,
                "cannot {what}; retrying in the next hourly round: {}",
                one_line(&error)
            );
            counter!("housekeeping_failures_total", "schema" => schema).increment(1);
            self.failed += 1;
            T::default()
        })
    }

    /// The current time, or `None` if the clock of Postgres cannot be trusted. Old rows may be deleted
    /// only by a trusted clock.
    pub async fn time(&mut self) -> Option<DateTime<Utc>> {
        let (pool, schema) = (self.pool, self.schema);
        let read = self.step("read the clock", async { clock::read(pool).await.map(Some) });
        let reading = read.await?;
        self.clock_doubted = !reading.is_trusted;
        gauge!("housekeeping_clock_doubted", "schema" => schema).set(u8::from(self.clock_doubted));
        if reading.is_trusted {
            return Some(reading.now);
        }
        tracing::warn!(
            schema,
            clock = %reading.now,
            last_trusted = %reading.state.trusted_at,
            "the clock of Postgres jumped, or housekeeping did not run for more than a day; nothing is \
             deleted until the clock is corrected or {} more hourly rounds have run",
            reading.state.readings_left(),
        );
        None
    }
}
