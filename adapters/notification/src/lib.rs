//! Notifications in Postgres, in the schema `notification`.

mod claim;
mod delete_settled;
mod housekeeping;
mod notifications;
mod rows;

use std::time::Duration;

use sqlx::PgPool;

pub use claim::PgNotificationClaim;
pub use housekeeping::{Housekeeping, HousekeepingReport, Retention};

use adapter_postgres::ledger::Statements;
use adapter_postgres::{ContextTables, Database, Migrations, PgLedger, ledger_statements};

/// The tables of the notification context.
pub static TABLES: ContextTables = ContextTables {
    schema: "notification",
    program: "notification",
    migrations: &[Migrations {
        files: || sqlx::migrate!("../../migrations/notification"),
        recorded_in: "_migrations",
    }],
};

/// The notifications, in Postgres. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PgNotifications {
    pool: PgPool,
    hold: Duration,
}

impl PgNotifications {
    /// The notifications in this database.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        Self { pool: database.pool().clone(), hold: Duration::from_mins(1) }
    }

    /// The same, with claims that end after `hold` if the worker does not settle them. The default is
    /// one minute. A worker MUST have sent what it claimed by then, or it may be sent twice.
    #[must_use]
    pub fn holding_at_most(self, hold: Duration) -> Self {
        Self { hold, ..self }
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
