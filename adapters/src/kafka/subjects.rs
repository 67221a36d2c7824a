//! The subjects of a schema registry, as those see them who look after the published language.
//!
//! `check` holds a folder of schemas against a registry, `register` brings the registry to where the
//! folder is. Neither removes anything.

mod api;
mod check;
mod client;
mod error;
mod finding;
mod register;

pub use check::check;
pub use client::{Registered, Subjects};
pub use error::SubjectError;
pub use finding::Finding;
pub use register::{Registration, Scope, register};

/// How schemas may change, by its name in the registry's API: every version reads every other.
pub const LEVEL: &str = "FULL_TRANSITIVE";
