//! A transactional outbox on Postgres: a log with lanes, appended to in the transaction that changes an
//! aggregate, and relayed to Kafka by any number of relays, in order per aggregate, losing nothing.
//!
//! The tables live in a schema of the context that owns the outbox. All names here are without a
//! schema: the sessions of [`Database::in_schema`](adapter_postgres::Database::in_schema) find them.
//! The columns `order_id` and `order_version` hold the id and the version of the aggregate, whatever it
//! is; they keep the names that they had before there was another than orders.
//!
//! - [`Lane`], [`append_events!`] and [`Bell`] write; the context's own statement appends.
//! - [`PgOutbox`] claims what is due for a relay, and [`Wakeups`] wakes one.
//! - [`OutboxCheck`] finds what the protocol takes for granted; [`Adoption`] puts it right.
//! - [`PgBacklog`], [`PgOutboxDeadLetters`], [`PgReplay`], [`republish()`] and [`days`] are for operators.

mod adoption;
mod append;
mod backlog;
pub mod days;
mod dead_letters;
mod in_flight;
mod lane;
mod outbox;
mod outbox_check;
mod replay;
mod republish;
mod topics;
mod wakeups;

pub use adoption::{Adoption, AdoptionError, AdoptionReport, put_positions_right};
pub use append::{NewEvent, NewEvents};
pub use backlog::PgBacklog;
pub use dead_letters::PgOutboxDeadLetters;
pub use in_flight::in_flight;
pub use lane::Lane;
pub use outbox::{LANES_AT_ONCE, PgClaim, PgOutbox};
pub use outbox_check::OutboxCheck;
pub use replay::PgReplay;
pub use republish::republish;
pub use topics::Topics;
pub use wakeups::{Bell, Wakeups};

use adapter_postgres::{Database, MigrateError, TablesError};
use sqlx::migrate::Migrator;

/// The table that records which migrations were run.
const RECORDED_IN: &str = "_outbox_migrations";

/// Creates the tables of the outbox in the schema of this database, or brings them up to date.
///
/// # Errors
/// When the database cannot be reached or a migration fails.
pub async fn migrate(database: &Database) -> Result<(), MigrateError> {
    database.migrate_part(migrations(), database.schema(), RECORDED_IN).await
}

/// Checks that the tables of the outbox are up to date, and changes nothing. `program` is the one that
/// creates them.
///
/// # Errors
/// When they are not, or the database cannot be reached.
pub async fn check_tables(database: &Database, program: &'static str) -> Result<(), TablesError> {
    database.check_tables_part(&migrations(), database.schema(), RECORDED_IN, program).await
}

fn migrations() -> Migrator {
    sqlx::migrate!("../../migrations/outbox")
}
