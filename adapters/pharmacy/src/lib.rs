//! The orders of the pharmacy and its outbox in Postgres, in the schema `pharmacy`.

mod housekeeping;
mod orders;
mod rows;
mod views;
mod work_row;

use adapter_outbox::{ContextOutbox, WakeupSender};
use application::event_format::EncodeEvent;
use domain::pharmacy::PharmacyEvent;
use sqlx::PgPool;

pub use housekeeping::{Housekeeping, HousekeepingReport, Retention};

use adapter_postgres::ledger::Statements;
use adapter_postgres::{
    ContextTables, Database, KeptSessions, Migrations, PgLedger, ledger_statements,
};

/// The tables of the pharmacy.
pub static TABLES: ContextTables = ContextTables {
    schema: "pharmacy",
    program: "pharmacy-order",
    migrations: &[
        Migrations {
            files: || sqlx::migrate!("../../migrations/pharmacy"),
            recorded_in: "_migrations",
        },
        adapter_outbox::MIGRATIONS,
    ],
};

/// The outbox of the pharmacy.
pub static OUTBOX: ContextOutbox = ContextOutbox {
    aggregates: "orders",
    key: "order_id",
    command: "pharmacy-order outbox",
    reconcile: None,
};

/// The orders of the pharmacy, in Postgres. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PgPharmacyOrders {
    pool: PgPool,
    sessions: KeptSessions,
    encode: EncodeEvent<PharmacyEvent>,
    wakeups: WakeupSender,
}

impl PgPharmacyOrders {
    /// The orders in this database. `encode` encodes their events.
    ///
    /// Must be called on a tokio runtime. It spawns a task that wakes relays when events were
    /// stored. The task ends when the last clone is dropped.
    #[must_use]
    pub fn new(database: &Database, encode: EncodeEvent<PharmacyEvent>) -> Self {
        Self {
            pool: database.pool().clone(),
            sessions: KeptSessions::of(database.pool()),
            encode,
            wakeups: WakeupSender::spawn(database),
        }
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
    group: "AND version > 0"
};
