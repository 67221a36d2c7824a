//! The API from outside, on a real Postgres: what it answers, and what it leaves in the tables.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is to fail")]

mod bad_input;
mod cancelling;
mod client;
mod document;
mod idempotency;
mod outage;
mod placing;
mod reading;
