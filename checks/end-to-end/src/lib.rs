//! Helpers of the end-to-end tests: they start the programs, place orders and check the results.
//!
//! They use only the programs, ports, routes, topics and the published schemas, and depend on no
//! other package of the workspace. They panic on any failure, which fails the test.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "helpers of tests panic on failure"
)]

pub mod bare_road;
pub mod cluster;
pub mod eventually;
pub mod external_clients;
pub mod fleet;
pub mod instance;
pub mod life;
pub mod order;
pub mod order_load;
pub mod quick;
pub mod read_models;
pub mod times;
