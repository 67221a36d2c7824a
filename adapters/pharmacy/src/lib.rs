//! The orders of the pharmacy in Postgres, in the schema `pharmacy`.

mod housekeeping;
mod orders;
mod rows;
mod views;

use sqlx::PgPool;

pub use housekeeping::{Housekeeping, HousekeepingReport};

use adapter_postgres::ledger::Statements;
use adapter_postgres::{ContextTables, Database, Migrations, PgLedger, ledger_statements};

/// The tables of the pharmacy.
pub static TABLES: ContextTables = ContextTables {
    schema: "pharmacy",
    program: "pharmacy-order",
    migrations: &[Migrations {
        files: || sqlx::migrate!("../../migrations/pharmacy"),
        recorded_in: "_migrations",
    }],
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

/// The ledger of the orders that the pharmacy knows.
#[must_use]
pub fn ledger(database: &Database) -> PgLedger {
    PgLedger::new(database, &LEDGER)
}

static LEDGER: Statements = ledger_statements! {
    columns: "order_id AS id, version, version - missing AS events",
    from: "orders",
    key: "order_id",
    group: ""
};
