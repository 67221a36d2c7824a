//! The HTTP API on a real Postgres: its answers, and what it stores.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_input;
mod cancelling;
mod client;
mod document;
mod idempotency;
mod odd_requests;
mod outage;
mod placing;
mod reading;
mod waiting;
