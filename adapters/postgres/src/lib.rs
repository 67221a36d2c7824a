//! The Postgres code that all contexts share: connections, timeouts, migrations, housekeeping and
//! dead letters. The tables of each context have their own crate.

mod connect_options;
mod database;
pub mod dead_letters;
mod error;
pub mod housekeeping;
mod kept_sessions;
pub mod ledger;
mod migrate;
mod migrate_command;
mod migration_gate;
mod server_check;
mod storable;
mod tables;
pub mod timeouts;

pub use database::Database;
pub use error::PgError;
pub use housekeeping::every_hour;
pub use kept_sessions::{KeptSession, KeptSessions};
pub use ledger::PgLedger;
pub use migrate::MigrateError;
pub use migrate_command::migrate_command;
pub use migration_gate::MigrationGate;
pub use storable::storable;
pub use tables::{ContextTables, Migrations, TablesError};
