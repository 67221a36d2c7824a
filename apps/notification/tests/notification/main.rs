//! Notification's API and its worker, on a real Postgres.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod api;
mod delivery;
mod fixture;
mod log_channel;
