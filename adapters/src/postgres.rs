//! Postgres: where each context keeps its state, in a schema of its own.

mod database;
mod error;
pub mod notification;
pub mod ordering;
pub mod pharmacy;

pub use database::{Database, MigrateError};
pub(crate) use error::PgError;
