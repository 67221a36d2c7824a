//! Postgres: where each context keeps its state, in a schema of its own.

mod connect_options;
mod database;
pub mod dead_letters;
mod error;
pub mod notification;
pub mod ordering;
pub mod pharmacy;
mod tables;

pub use database::{Database, MigrateError};
pub(crate) use error::PgError;
pub use tables::Tables;
