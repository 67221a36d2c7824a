//! The API from outside, on a real Postgres: what it answers, and what it leaves in the tables.

mod bad_input;
mod cancelling;
mod client;
mod document;
mod idempotency;
mod outage;
mod placing;
mod proxy;
mod reading;
