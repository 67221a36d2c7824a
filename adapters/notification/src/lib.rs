//! Notifications in Postgres, schema `notification`.

mod claim;
mod housekeeping;
mod notifications;
mod rows;

use std::time::Duration;

use sqlx::PgPool;
use sqlx::migrate::Migrator;

pub use claim::PgNotificationClaim;
pub use housekeeping::{Housekeeping, HousekeepingReport, Retention};

use adapter_postgres::dead_letters::{PgDeadLetters, Statements as DeadLetterStatements};
use adapter_postgres::ledger::Statements as LedgerStatements;
use adapter_postgres::{
    Database, MigrateError, PgLedger, TablesError, dead_letter_statements, ledger_statements,
};

/// All notifications, in Postgres. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PgNotifications {
    pool: PgPool,
    hold: Duration,
}

impl PgNotifications {
    /// The notifications kept in this database.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        Self { pool: database.pool().clone(), hold: Duration::from_mins(1) }
    }

    /// The same, with claims that end by themselves after so long without a word from their
    /// worker (by default one minute). A worker MUST have sent what it claimed by then; if not, it
    /// may be sent twice.
    #[must_use]
    pub fn holding_at_most(self, hold: Duration) -> Self {
        Self { hold, ..self }
    }
}

/// The records the notification context could not take in.
#[must_use]
pub fn dead_letters(database: &Database) -> PgDeadLetters {
    PgDeadLetters::new(database.pool().clone(), &DEAD_LETTERS)
}

/// What the notification context knows of orders: those of which it still has a notification.
#[must_use]
pub fn ledger(database: &Database) -> PgLedger {
    PgLedger::new(database, &LEDGER)
}

/// Brings the notification context's tables up to date.
///
/// # Errors
/// When the database cannot be reached or refuses.
pub async fn migrate(database: &Database) -> Result<(), MigrateError> {
    database.migrate(migrations(), "notification").await
}

/// Checks that the notification context's tables are up to date, and changes nothing.
///
/// # Errors
/// When they are not, or the database cannot be reached.
pub async fn check_tables(database: &Database) -> Result<(), TablesError> {
    database.check_tables(&migrations(), "notification", "notification").await
}

fn migrations() -> Migrator {
    sqlx::migrate!("../../migrations/notification")
}

static DEAD_LETTERS: DeadLetterStatements = dead_letter_statements!("notification");

/// An event has a notification for each channel.
static LEDGER: LedgerStatements = ledger_statements! {
    columns: "order_id AS id, max(order_version) AS version, count(DISTINCT event_id) AS events",
    from: "notification.notifications",
    key: "order_id",
    group: "GROUP BY order_id"
};
