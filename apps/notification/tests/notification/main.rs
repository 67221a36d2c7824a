//! Notification's API and its workers, on a real Postgres.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod api;
mod customers;
mod delivery;
mod fixture;
mod letters;
mod log_channel;
mod webhooks;
