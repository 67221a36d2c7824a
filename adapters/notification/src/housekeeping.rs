use std::time::Duration;

use adapter_postgres::Database;
use adapter_postgres::dead_letters::PgDeadLetters;
use adapter_postgres::housekeeping::Round;
use application::dead_letters::DeadLetters;
use application::housekeeping::delete_in_chunks;
use application::notification::Notifications;

use super::delete_settled::delete_ended_orders;
use super::webhooks::delete_calls;
use super::{PgNotifications, attempts};

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
    /// Notifications that are not pending, after they were recorded, and the customers of orders, after
    /// the order has ended. This MUST be longer than events can be delivered again: otherwise the
    /// notification would be recorded and sent again.
    pub notifications: Duration,
    /// Attempts to send, in whole days.
    pub attempts: Duration,
}

/// What one round of housekeeping did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HousekeepingReport {
    /// Dead letters that were deleted.
    pub dead_letters_deleted: u64,
    /// Notifications that were deleted.
    pub notifications_deleted: u64,
    /// Notifications of deleted webhooks that were deleted.
    pub calls_deleted: u64,
    /// Customers of ended orders that were deleted.
    pub orders_deleted: u64,
    /// Days whose attempts were deleted.
    pub attempt_days_dropped: u64,
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
        let pool = self.database.pool();
        // Also while the clock is not trusted: attempts are recorded by the same clock.
        round.step("create the partitions of attempts", attempts::create_days(pool)).await;
        let delete = delete_in_chunks(async |limit| Ok(delete_calls(pool, limit).await?));
        report.calls_deleted = round.step("delete calls of deleted webhooks", delete).await;
        if let Some(now) = round.time().await {
            let letters = PgDeadLetters::new(&self.database);
            let before = (now - self.keep.dead_letters).into();
            let delete = delete_in_chunks(|limit| letters.delete_settled(before, limit));
            report.dead_letters_deleted = round.step("delete old dead letters", delete).await;
            let notifications = PgNotifications::new(&self.database);
            let before = (now - self.keep.notifications).into();
            let delete = delete_in_chunks(|limit| notifications.delete_settled(before, limit));
            report.notifications_deleted = round.step("delete old notifications", delete).await;
            let delete = delete_in_chunks(|limit| delete_ended_orders(pool, before, limit));
            report.orders_deleted = round.step("delete customers of ended orders", delete).await;
            let drop = attempts::drop_days(pool, now - self.keep.attempts);
            report.attempt_days_dropped = round.step("delete old attempts", drop).await;
        }
        report.clock_doubted = round.clock_doubted;
        report.failed = round.failed;
        report
    }
}
