//! Postgres: where each context keeps its state, in a schema of its own.

mod connect_options;
mod database;
pub mod dead_letters;
mod error;
mod housekeeping;
mod ledger;
mod migration_gate;
pub mod notification;
pub mod ordering;
mod patience;
pub mod pharmacy;
mod storable;
mod tables;

pub use database::{Database, MigrateError};
pub use error::PgError;
pub use housekeeping::every_hour;
pub use ledger::PgLedger;
pub use migration_gate::MigrationGate;
use storable::storable;
pub use tables::TablesError;
