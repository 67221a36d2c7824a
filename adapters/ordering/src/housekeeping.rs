use std::time::Duration;

use adapter_outbox::days::{self, DaysReport};
use adapter_postgres::Database;
use adapter_postgres::housekeeping::Round;
use application::housekeeping::delete_in_chunks;
use application::ordering::Answers;

use super::answers::PgAnswers;

/// Keeps the outbox in shape: a partition for every day to come, none that nobody needs.
///
/// Several programs may do it at once; one of them does the work.
#[derive(Debug, Clone)]
pub struct Housekeeping {
    database: Database,
    keep: Retention,
}

/// How much is kept, and prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Days that have their partition before they begin.
    pub days_ahead: u32,
    /// How long processed events are kept, for replays. Whole days are dropped.
    pub events: Duration,
    /// How long answers to repeated requests are kept.
    pub answers: Duration,
}

impl Default for Retention {
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
pub struct HousekeepingReport {
    /// In the outbox.
    pub days: DaysReport,
    /// Answers forgotten.
    pub answers_forgotten: u64,
    /// Whether the clock of Postgres was not believed, so that nothing was deleted.
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

    /// Does all there is to do now. Once an hour is enough. What fails is logged and left to the next
    /// round; the other steps are done all the same.
    pub async fn tidy(&self) -> HousekeepingReport {
        let mut round = Round::begin(&self.database);
        let mut days = DaysReport::default();
        let mut answers_forgotten = 0;
        days::create(&self.database, self.keep.days_ahead, &mut round, &mut days).await;
        if let Some(now) = round.time().await {
            let before = now - self.keep.events;
            days::drop_before(&self.database, before, &mut round, &mut days).await;
            let answers = PgAnswers::new(&self.database);
            let before = (now - self.keep.answers).into();
            let delete = delete_in_chunks(|limit| answers.delete_before(before, limit));
            answers_forgotten = round.step("delete old answers", delete).await;
        }
        HousekeepingReport {
            days,
            answers_forgotten,
            clock_doubted: round.clock_doubted,
            failed: round.failed,
        }
    }
}
