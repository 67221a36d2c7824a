use std::time::Duration;

use adapter_outbox::days::{self, DaysReport};
use adapter_postgres::Database;
use adapter_postgres::dead_letters::PgDeadLetters;
use adapter_postgres::housekeeping::Round;
use application::dead_letters::DeadLetters as _;
use application::housekeeping::delete_in_chunks;
use application::ordering::Answers;

use super::answers::PgAnswers;

/// Housekeeping of the ordering tables: creates day partitions of the outbox, drops old ones, and
/// deletes old dead letters and old answers.
///
/// Several programs may run it at the same time.
#[derive(Debug, Clone)]
pub struct Housekeeping {
    database: Database,
    keep: Retention,
}

/// How long data is kept, and how many day partitions are created in advance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Number of days whose partitions are created in advance.
    pub days_ahead: u32,
    /// How long processed events are kept, for replays. They are dropped by whole days.
    pub events: Duration,
    /// How long answers to repeated requests are kept.
    pub answers: Duration,
    /// How long dead letters of the consumer are kept after they were retried or discarded.
    pub dead_letters: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            days_ahead: 7,
            events: Duration::from_hours(7 * 24),
            answers: Duration::from_hours(7 * 24),
            dead_letters: Duration::from_hours(30 * 24),
        }
    }
}

/// Result of one round of housekeeping.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HousekeepingReport {
    /// The day partitions and dead letters of the outbox.
    pub days: DaysReport,
    /// Answers deleted.
    pub answers_deleted: u64,
    /// Dead letters of the consumer that were deleted after their retention.
    pub dead_letters_deleted: u64,
    /// Whether the clock of Postgres was not trusted, so that nothing was deleted.
    pub clock_doubted: bool,
    /// Steps that failed; each was logged.
    pub failed: u64,
}

impl Housekeeping {
    /// Housekeeping in this database.
    #[must_use]
    pub fn new(database: &Database, keep: Retention) -> Self {
        Self { database: database.clone(), keep }
    }

    /// Runs one round, which is needed once an hour. A step that fails is logged and left to the next
    /// round; the other steps still run.
    pub async fn tidy(&self) -> HousekeepingReport {
        let mut round = Round::begin(&self.database);
        let mut days = DaysReport::default();
        let (mut answers_deleted, mut dead_letters_deleted) = (0, 0);
        days::create(&self.database, self.keep.days_ahead, &mut round, &mut days).await;
        if let Some(now) = round.time().await {
            let before = now - self.keep.events;
            days::drop_before(&self.database, before, &mut round, &mut days).await;
            let answers = PgAnswers::new(&self.database);
            let before = (now - self.keep.answers).into();
            let delete = delete_in_chunks(|limit| answers.delete_before(before, limit));
            answers_deleted = round.step("delete old answers", delete).await;
            let letters = PgDeadLetters::new(&self.database);
            let before = (now - self.keep.dead_letters).into();
            let delete = delete_in_chunks(|limit| letters.delete_settled(before, limit));
            dead_letters_deleted = round.step("delete old dead letters", delete).await;
        }
        HousekeepingReport {
            days,
            answers_deleted,
            dead_letters_deleted,
            clock_doubted: round.clock_doubted,
            failed: round.failed,
        }
    }
}
