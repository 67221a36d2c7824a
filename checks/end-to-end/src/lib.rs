//! The product as its users meet it: what the end-to-end tests start, do and look at.
//!
//! It knows programs, ports, routes, the topic and the published language, and nothing of the inside: it depends on no
//! other package of the workspace. Whatever does not go as it must ends the test that asked for it.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "these are the hands and eyes of tests"
)]

pub mod cluster;
pub mod customers;
pub mod eventually;
pub mod fleet;
pub mod instance;
pub mod order;
pub mod outsider;
pub mod read_models;
