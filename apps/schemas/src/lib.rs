//! Commands for the schemas of the published events: check the folder of schemas, compare it with a
//! schema registry, and register its schemas.
//!
//! No command deletes anything.

mod check;
mod command;
mod finding;
mod register;
pub mod release;
mod topics;

pub use check::check;
pub use command::{SchemasCommand, Services, run};
pub use finding::Finding;
pub use register::{Registration, Scope, register};
pub use topics::Topics;

/// The compatibility level of all subjects: every version can read every other.
pub const LEVEL: &str = "FULL_TRANSITIVE";
