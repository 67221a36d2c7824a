use std::time::Duration;

use adapter_outbox::days::{self, DaysReport};
use adapter_postgres::Database;
use adapter_postgres::dead_letters::PgDeadLetters;
use adapter_postgres::housekeeping::Round;
use application::dead_letters::DeadLetters;
use application::housekeeping::delete_in_chunks;

/// Number of days whose partitions of the outbox are created in advance.
const DAYS_AHEAD: u32 = 7;

/// Housekeeping of the pharmacy's tables: creates day partitions of the outbox, drops old ones, and
/// deletes old dead letters. Several programs may do this at the same time.
#[derive(Debug, Clone)]
pub struct Housekeeping {
    database: Database,
    keep: Retention,
}

/// How long rows are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How long processed events are kept in the outbox, for replays. They are dropped by whole days.
    pub events: Duration,
    /// How long dead letters are kept after they were retried or discarded.
    pub dead_letters: Duration,
}

/// What one round of housekeeping did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HousekeepingReport {
    /// The day partitions and dead letters of the outbox.
    pub days: DaysReport,
    /// Dead letters that were deleted after their retention.
    pub dead_letters_deleted: u64,
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
        let mut round = Round::begin(&self.database);
        let mut report = HousekeepingReport::default();
        days::create(&self.database, DAYS_AHEAD, &mut round, &mut report.days).await;
        if let Some(now) = round.time().await {
            let before = now - self.keep.events;
            days::drop_before(&self.database, before, &mut round, &mut report.days).await;
            let letters = PgDeadLetters::new(&self.database);
            let before = (now - self.keep.dead_letters).into();
            let delete = delete_in_chunks(|limit| letters.delete_settled(before, limit));
            report.dead_letters_deleted = round.step("delete old dead letters", delete).await;
        }
        report.clock_doubted = round.clock_doubted;
        report.failed = round.failed;
        report
    }
}
