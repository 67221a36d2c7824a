use std::time::Duration;

use adapter_postgres::Database;
use adapter_postgres::clock_statements;
use adapter_postgres::housekeeping::{ClockStatements, Round};
use application::dead_letters::delete_settled_dead_letters;

use super::dead_letters;

static CLOCK: ClockStatements = clock_statements!("pharmacy");

/// Deletes what the pharmacy needs no longer. Several programs may do it at once.
#[derive(Debug, Clone)]
pub struct Housekeeping {
    database: Database,
    dead_letters: Duration,
}

/// What one round of housekeeping did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HousekeepingReport {
    /// Dead letters deleted that were retried or discarded long ago.
    pub dead_letters_deleted: u64,
    /// Whether the clock of Postgres was not believed, so that nothing was deleted.
    pub clock_doubted: bool,
    /// Steps that failed; each was logged.
    pub failed: u64,
}

impl Housekeeping {
    /// Housekeeping that keeps dead letters for so long after they were retried or discarded.
    #[must_use]
    pub fn new(database: &Database, dead_letters: Duration) -> Self {
        Self { database: database.clone(), dead_letters }
    }

    /// Does all there is to do now. What fails is logged and left to the next round.
    pub async fn tidy(&self) -> HousekeepingReport {
        let mut round = Round::begin(self.database.pool(), "pharmacy");
        let mut tidied = HousekeepingReport::default();
        if let Some(now) = round.time(&CLOCK).await {
            let letters = dead_letters(&self.database);
            let before = now - self.dead_letters;
            let delete = delete_settled_dead_letters(&letters, before.into());
            tidied.dead_letters_deleted = round.step("delete settled dead letters", delete).await;
        }
        tidied.clock_doubted = round.clock_doubted;
        tidied.failed = round.failed;
        tidied
    }
}
