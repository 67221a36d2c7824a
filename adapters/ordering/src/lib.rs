//! Ordering's tables: the orders, and the outbox of their events.
//!
//! [`PgOrders`] writes an order, its events and the cause it answers in one transaction.

mod housekeeping;
mod order_row;
mod orders;
mod published_ledger;
mod save;
#[cfg(test)]
mod tests;
mod views;

pub use housekeeping::{Housekeeping, Keep, Tidied};
pub use orders::PgOrders;
pub use published_ledger::PgPublishedLedger;

use adapter_postgres::{Database, MigrateError, TablesError};
use runtime::StartError;
use runtime::config::DatabaseArgs;
use sqlx::migrate::Migrator;

/// The schema of ordering's tables.
pub const SCHEMA: &str = "ordering";

/// The table of the aggregates whose events are in the outbox.
pub const AGGREGATES: &str = "orders";

/// Ordering's database; `program` is what Postgres calls its sessions.
///
/// # Errors
/// When a setting is wrong.
pub fn database(args: &DatabaseArgs, program: &str) -> Result<Database, StartError> {
    Ok(Database::new(args, program)?.in_schema(SCHEMA))
}

/// Brings the schema `ordering` up to date.
///
/// # Errors
/// When the database cannot be reached or a migration fails.
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
