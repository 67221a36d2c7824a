//! Tests of the embedded schema registry through its API.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod client_library;
mod compatibility;
mod deletion;
mod fixture;
mod parameters;
mod registration;
mod responses;
