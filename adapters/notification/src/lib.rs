//! Notifications, contacts and webhooks in Postgres, in the schema `notification`.

mod attempts;
mod backlog;
mod claim;
mod contacts;
mod delete_settled;
mod housekeeping;
mod notifications;
mod record;
mod retry;
mod rows;
mod settle;
mod views;
mod webhooks;

use sqlx::PgPool;

pub use housekeeping::{Housekeeping, HousekeepingReport, Retention};

use adapter_postgres::ledger::Statements;
use adapter_postgres::{
    ContextTables, Database, KeptSessions, Migrations, PgLedger, ledger_statements,
};

/// The tables of the notification context.
pub static TABLES: ContextTables = ContextTables {
    schema: "notification",
    program: "notification",
    migrations: &[Migrations {
        files: || sqlx::migrate!("../../migrations/notification"),
        recorded_in: "_migrations",
    }],
};

/// The notifications, the contacts of customers and the webhooks, in Postgres. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PgNotifications {
    pool: PgPool,
    sessions: KeptSessions,
}

impl PgNotifications {
    /// The notifications in this database.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        Self { pool: database.pool().clone(), sessions: KeptSessions::of(database.pool()) }
    }
}

/// The ledger of the orders that still have a notification.
#[must_use]
pub fn ledger(database: &Database) -> PgLedger {
    PgLedger::new(database, &LEDGER)
}

/// Counts distinct events, because an event has one notification per channel.
static LEDGER: Statements = ledger_statements! {
    columns: "order_id AS id, max(order_version) AS version, count(DISTINCT event_id) AS events",
    from: "notifications",
    key: "order_id",
    group: "GROUP BY order_id"
};
