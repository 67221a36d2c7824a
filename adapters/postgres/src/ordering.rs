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
pub use dead_letters::{OutboxDeadLetter, OutboxDeadLetters};
pub use housekeeping::{Housekeeping, Keep, Tidied};
pub use orders::PgOrders;
pub use outbox::{PgClaim, PgOutbox};
pub use outbox_check::OutboxCheck;
pub use published_ledger::PgPublishedLedger;
pub use replay::Replay;
pub use topics::Topics;
pub use wakeups::Wakeups;

use super::{Database, MigrateError};

/// Brings the schema `ordering` up to date.
///
/// # Errors
/// When the database cannot be reached or a migration fails.
pub async fn migrate(database: &Database) -> Result<(), MigrateError> {
    database.migrate(sqlx::migrate!("../../migrations/ordering"), "ordering").await
}
