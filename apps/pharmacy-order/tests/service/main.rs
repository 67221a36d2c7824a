//! The whole service, against a Postgres, a Kafka and a registry that come and go.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod outage;
mod versions;
mod world;
