//! The schemas of the published events: checks on the folder that holds them, and what a schema
//! registry knows of them.
//!
//! `check` compares a folder of schemas with a registry, `register` brings the registry up to date.
//! Neither removes anything.

mod check;
mod command;
mod finding;
mod register;
pub mod release;

pub use check::check;
pub use command::{SchemasCommand, Services, run};
pub use finding::Finding;
pub use register::{Registration, Scope, register};

/// How schemas may change, by its name in the registry's API: every version reads every other.
pub const LEVEL: &str = "FULL_TRANSITIVE";
