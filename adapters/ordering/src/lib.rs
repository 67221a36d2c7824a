//! The tables of the ordering context in Postgres: orders, answers to repeated requests, and the
//! outbox.
//!
//! [`PgOrders`] stores an order, its events and the answer to its cause in one transaction.

mod housekeeping;
mod order_row;
mod orders;
mod published_ledger;
mod save;
#[cfg(test)]
mod tests;
mod views;

pub use housekeeping::{Housekeeping, HousekeepingReport, Retention};
pub use orders::PgOrders;
pub use published_ledger::PgPublishedLedger;

use adapter_postgres::{Database, MigrateError, TablesError};
use runtime::StartError;
use runtime::config::DatabaseArgs;
use sqlx::migrate::Migrator;

/// The Postgres schema of the ordering context.
pub const SCHEMA: &str = "ordering";

/// The table of the aggregates whose events are in the outbox.
pub const AGGREGATES: &str = "orders";

/// The database of the ordering context. `program` is the application name of its sessions.
///
/// # Errors
/// When a setting is invalid.
pub fn database(args: &DatabaseArgs, program: &str) -> Result<Database, StartError> {
    Ok(Database::new(args, program)?.in_schema(SCHEMA))
}

/// Creates or updates the tables of the schema `ordering`.
///
/// # Errors
/// When the database is unavailable or a migration fails.
pub async fn migrate(database: &Database) -> Result<(), MigrateError> {
    database.migrate(migrations(), SCHEMA).await?;
    adapter_outbox::migrate(database).await
}

/// Checks that the schema `ordering` is up to date, and changes nothing.
///
/// # Errors
/// When it is not, or the database cannot be reached.
pub async fn check_tables(database: &Database) -> Result<(), TablesError> {
    let program = "order-jobs";
    database.check_tables(&migrations(), SCHEMA, program).await?;
    adapter_outbox::check_tables(database, program).await
}

fn migrations() -> Migrator {
    sqlx::migrate!("../../migrations/ordering")
}
