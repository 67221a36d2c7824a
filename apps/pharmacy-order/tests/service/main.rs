//! The whole service, with a Postgres, a Kafka and a registry that start late or stop.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod fixture;
mod outage;
mod recovering;
mod redacting;
mod versions;
