//! The stores of the pharmacy and of the notifications, on a real Postgres.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod contracts;
mod dead_letters;
mod notifications;
mod pharmacy;
mod retention;
mod told;
