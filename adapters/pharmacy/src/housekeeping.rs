use std::time::Duration;

use adapter_postgres::Database;
use adapter_postgres::dead_letters::PgDeadLetters;
use adapter_postgres::housekeeping::Round;
use application::dead_letters::DeadLetters;
use application::housekeeping::delete_in_chunks;

/// Deletes old rows of the pharmacy. Several programs may do this at the same time.
#[derive(Debug, Clone)]
pub struct Housekeeping {
    database: Database,
    dead_letters: Duration,
}

/// What one round of housekeeping did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HousekeepingReport {
    /// Dead letters that were deleted after their retention.
    pub dead_letters_deleted: u64,
    /// Whether the clock of Postgres was not trusted, so that nothing was deleted.
    pub clock_doubted: bool,
    /// Steps that failed. Each was logged.
    pub failed: u64,
}

impl Housekeeping {
    /// Housekeeping that keeps dead letters for this long after they were retried or discarded.
    #[must_use]
    pub fn new(database: &Database, dead_letters: Duration) -> Self {
        Self { database: database.clone(), dead_letters }
    }

    /// Runs one round. A step that fails is logged, and the next round tries it again.
    pub async fn tidy(&self) -> HousekeepingReport {
        let mut round = Round::begin(&self.database);
        let mut report = HousekeepingReport::default();
        if let Some(now) = round.time().await {
            let letters = PgDeadLetters::new(&self.database);
            let before = (now - self.dead_letters).into();
            let delete = delete_in_chunks(|limit| letters.delete_settled(before, limit));
            report.dead_letters_deleted = round.step("delete old dead letters", delete).await;
        }
        report.clock_doubted = round.clock_doubted;
        report.failed = round.failed;
        report
    }
}
