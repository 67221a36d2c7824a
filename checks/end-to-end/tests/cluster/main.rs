//! Tests with several processes of each service, three Kafka brokers, a schema registry and a
//! Postgres. They check what external clients see: HTTP, the topic, the consumer groups, the
//! registry and the processes.
//!
//! `checks/end-to-end/run` builds the programs, starts the cluster and runs these tests. They run
//! one after the other, since they share the cluster, and each checks only the orders that it has
//! placed. They run in alphabetical order: the speed is measured when the brokers are warmed up,
//! and before one of them is killed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod changing_instances;
mod idle_memory;
mod layout;
mod life_of_orders;
mod many_orders;
mod pharmacy_speed;
mod reconciling;
mod small_batches;
mod speed;
mod versions;
mod without_a_broker;
