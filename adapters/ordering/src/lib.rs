//! The tables of the ordering context in Postgres: orders, answers to repeated requests, and the
//! outbox.
//!
//! [`PgOrders`] stores an order, its events and the answer to its cause in one transaction.

mod answers;
mod batches;
mod customer_orders;
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

use adapter_outbox::ContextOutbox;
use adapter_postgres::{ContextTables, Migrations};

/// The tables of the ordering context.
pub static TABLES: ContextTables = ContextTables {
    schema: "ordering",
    program: "order-jobs",
    migrations: &[
        Migrations {
            files: || sqlx::migrate!("../../migrations/ordering"),
            recorded_in: "_migrations",
        },
        adapter_outbox::MIGRATIONS,
    ],
};

/// The outbox of the ordering context.
pub static OUTBOX: ContextOutbox = ContextOutbox {
    aggregates: "orders",
    key: "id",
    command: "order-jobs",
    reconcile: Some("order-jobs reconcile"),
};
