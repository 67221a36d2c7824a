//! Postgres: where each context keeps its state, in a schema of its own.

mod database;
pub mod dead_letters;
mod error;
pub mod notification;
pub mod ordering;
pub mod pharmacy;

pub use database::{Database, MigrateError};
pub(crate) use error::PgError;
