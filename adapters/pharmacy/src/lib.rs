//! The orders of the pharmacy in Postgres, in the schema `pharmacy`.

mod housekeeping;
mod orders;
mod rows;
mod views;

use sqlx::PgPool;
use sqlx::migrate::Migrator;

pub use housekeeping::{Housekeeping, HousekeepingReport};

use adapter_postgres::dead_letters::{PgDeadLetters, Statements as DeadLetterStatements};
use adapter_postgres::ledger::Statements as LedgerStatements;
use adapter_postgres::{
    Database, MigrateError, PgLedger, TablesError, dead_letter_statements, ledger_statements,
};

/// The orders of the pharmacy, in Postgres. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PgPharmacyOrders {
    pool: PgPool,
}

impl PgPharmacyOrders {
    /// The orders in this database.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        Self { pool: database.pool().clone() }
    }
}

/// The records that the pharmacy could not consume.
#[must_use]
pub fn dead_letters(database: &Database) -> PgDeadLetters {
    PgDeadLetters::new(database.pool().clone(), &DEAD_LETTERS)
}

/// The ledger of the orders that the pharmacy knows.
#[must_use]
pub fn ledger(database: &Database) -> PgLedger {
    PgLedger::new(database, &LEDGER)
}

/// Runs the pending migrations of the pharmacy.
///
/// # Errors
/// When the database cannot be reached or a migration fails.
pub async fn migrate(database: &Database) -> Result<(), MigrateError> {
    database.migrate(migrations(), "pharmacy").await
}

/// Checks that the pharmacy's tables are up to date. Changes nothing.
///
/// # Errors
/// When they are not, or the database cannot be reached.
pub async fn check_tables(database: &Database) -> Result<(), TablesError> {
    database.check_tables(&migrations(), "pharmacy", "pharmacy-order").await
}

fn migrations() -> Migrator {
    sqlx::migrate!("../../migrations/pharmacy")
}

static DEAD_LETTERS: DeadLetterStatements = dead_letter_statements!("pharmacy");

static LEDGER: LedgerStatements = ledger_statements! {
    columns: "order_id AS id, version, version - missing AS events",
    from: "pharmacy.orders",
    key: "order_id",
    group: ""
};
