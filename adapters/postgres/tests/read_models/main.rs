//! The stores of the pharmacy and of the notification context, on a real Postgres.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod contracts;
mod dead_letters;
mod fixture;
mod notifications;
mod pharmacy;
mod retention;
