//! Ordering's tables: the orders, and the outbox that tells the world about them.
//!
//! [`PgOrders`] writes: an order, its events and the cause it answers, in one transaction.
//! [`PgOutbox`] reads the events back for the relay, in order per order, losing none.

mod adoption;
mod backlog;
mod dead_letters;
mod housekeeping;
mod lane;
mod order_row;
mod orders;
mod outbox;
mod outbox_check;
mod published_ledger;
mod replay;
mod republish;
mod save;
#[cfg(test)]
mod tests;
mod topics;
mod views;
mod wakeups;

pub use adoption::{Adoption, AdoptionError, AdoptionReport};
pub use backlog::Backlog;
pub use dead_letters::PgOutboxDeadLetters;
pub use housekeeping::{Housekeeping, Keep, Tidied};
pub use orders::PgOrders;
pub use outbox::{PgClaim, PgOutbox};
pub use outbox_check::OutboxCheck;
pub use published_ledger::PgPublishedLedger;
pub use replay::Replay;
pub use topics::Topics;
pub use wakeups::Wakeups;

use sqlx::migrate::Migrator;

use super::{Database, MigrateError, TablesError};

/// Brings the schema `ordering` up to date.
///
/// # Errors
/// When the database cannot be reached or a migration fails.
pub async fn migrate(database: &Database) -> Result<(), MigrateError> {
    database.migrate(migrations(), "ordering").await
}

/// Checks that the schema `ordering` is up to date, and changes nothing.
///
/// # Errors
/// When it is not, or the database cannot be reached.
pub async fn check_tables(database: &Database) -> Result<(), TablesError> {
    database.check_tables(&migrations(), "ordering", "order-jobs").await
}

fn migrations() -> Migrator {
    sqlx::migrate!("../../migrations/ordering")
}
