use std::time::Duration;

use adapter_postgres::Database;
use adapter_postgres::dead_letters::PgDeadLetters;
use adapter_postgres::housekeeping::Round;
use application::dead_letters::DeadLetters;
use application::housekeeping::delete_in_chunks;
use application::notification::Notifications;

use super::PgNotifications;

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
        let mut round = Round::begin(&self.database);
        let mut report = HousekeepingReport::default();
        if let Some(now) = round.time().await {
            let letters = PgDeadLetters::new(&self.database);
            let before = (now - self.keep.dead_letters).into();
            let delete = delete_in_chunks(|limit| letters.delete_settled(before, limit));
            report.dead_letters_deleted = round.step("delete old dead letters", delete).await;
            let notifications = PgNotifications::new(&self.database);
            let before = (now - self.keep.notifications).into();
            let delete = delete_in_chunks(|limit| notifications.delete_settled(before, limit));
            report.notifications_deleted = round.step("delete old notifications", delete).await;
        }
        report.clock_doubted = round.clock_doubted;
        report.failed = round.failed;
        report
    }
}
