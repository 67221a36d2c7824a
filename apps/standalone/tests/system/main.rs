//! The whole system as its users have it: the program as a process of its own, on good days and on
//! bad ones.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod client;
mod demo;
mod instance;
mod kafka_outage;
mod personal_data;
mod place;
mod postgres_outage;
mod postgres_silence;
mod refusals;
mod sigkill;
mod stopping;
mod topic;
mod two_of_each;
mod world;
