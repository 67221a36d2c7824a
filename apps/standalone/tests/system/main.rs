//! The whole system as a process, in normal operation and during failures.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod client;
mod demo;
mod embedded;
mod external_services;
mod instance;
mod kafka_outage;
mod order_life;
mod outgoing;
mod personal_data;
mod postgres_outage;
mod postgres_silence;

mod sandbox;
mod sigkill;
mod start_errors;
mod stopping;
mod topic;
mod two_instances;
