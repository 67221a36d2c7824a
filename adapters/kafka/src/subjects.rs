//! The subjects of a schema registry: their versions and their compatibility levels.

mod api;
mod client;
mod error;

pub use client::{Registered, Subjects};
pub use error::SubjectError;
