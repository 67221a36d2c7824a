//! Postgres, for every context alike: connections and how long they are waited for, migrations,
//! housekeeping, dead letters. What a context keeps is in a crate of its own.

mod connect_options;
mod database;
pub mod dead_letters;
mod error;
pub mod housekeeping;
pub mod ledger;
mod migration_gate;
mod storable;
mod tables;
pub mod timeouts;

pub use database::{Database, MigrateError};
pub use error::PgError;
pub use housekeeping::every_hour;
pub use ledger::PgLedger;
pub use migration_gate::MigrationGate;
pub use storable::storable;
pub use tables::TablesError;
