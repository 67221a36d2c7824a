//! The stores of the pharmacy and of the notifications, on a real Postgres.

mod dead_letters;
mod notifications;
mod pharmacy;
mod told;
