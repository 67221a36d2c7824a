//! The pharmacy's orders in Postgres, schema `pharmacy`.

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

/// All orders of the pharmacy, in Postgres. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PgPharmacyOrders {
    pool: PgPool,
}

impl PgPharmacyOrders {
    /// The orders kept in this database.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        Self { pool: database.pool().clone() }
    }
}

/// The records the pharmacy could not take in.
#[must_use]
pub fn dead_letters(database: &Database) -> PgDeadLetters {
    PgDeadLetters::new(database.pool().clone(), &DEAD_LETTERS)
}

/// What the pharmacy knows of orders.
#[must_use]
pub fn ledger(database: &Database) -> PgLedger {
    PgLedger::new(database, &LEDGER)
}

/// Brings the pharmacy's tables up to date.
///
/// # Errors
/// When the database cannot be reached or refuses.
pub async fn migrate(database: &Database) -> Result<(), MigrateError> {
    database.migrate(migrations(), "pharmacy").await
}

/// Checks that the pharmacy's tables are up to date, and changes nothing.
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
