//! Notifications in Postgres, in the schema `notification`.

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

/// The notifications, in Postgres. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PgNotifications {
    pool: PgPool,
    hold: Duration,
}

impl PgNotifications {
    /// The notifications in this database.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        Self { pool: database.pool().clone(), hold: Duration::from_mins(1) }
    }

    /// The same, with claims that end after `hold` if the worker does not settle them. The default is
    /// one minute. A worker MUST have sent what it claimed by then, or it may be sent twice.
    #[must_use]
    pub fn holding_at_most(self, hold: Duration) -> Self {
        Self { hold, ..self }
    }
}

/// The records that the notification context could not consume.
#[must_use]
pub fn dead_letters(database: &Database) -> PgDeadLetters {
    PgDeadLetters::new(database.pool().clone(), &DEAD_LETTERS)
}

/// The ledger of the orders that still have a notification.
#[must_use]
pub fn ledger(database: &Database) -> PgLedger {
    PgLedger::new(database, &LEDGER)
}

/// Runs the pending migrations of the notification context.
///
/// # Errors
/// When the database cannot be reached or a migration fails.
pub async fn migrate(database: &Database) -> Result<(), MigrateError> {
    database.migrate(migrations(), "notification").await
}

/// Checks that the notification context's tables are up to date. Changes nothing.
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

/// Counts distinct events, because an event has one notification per channel.
static LEDGER: LedgerStatements = ledger_statements! {
    columns: "order_id AS id, max(order_version) AS version, count(DISTINCT event_id) AS events",
    from: "notification.notifications",
    key: "order_id",
    group: "GROUP BY order_id"
};
