//! Every service a process of its own, several of each, on three real brokers, a real schema registry and a real
//! Postgres. What is checked is what outsiders see: HTTP, the topic, the groups, the registry, the processes.
//!
//! `checks/end-to-end/run` builds the programs, brings the cluster up and runs these tests. They take turns, since
//! there is one cluster, and each looks only at the orders that it placed itself. Their order is that of their names: speed
//! is measured once the brokers are warm, and before one of them is killed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod coming_and_going;
mod crowd;
mod layout;
mod reconciling;
mod rest;
mod small_batches;
mod speed;
mod versions;
mod without_a_broker;
