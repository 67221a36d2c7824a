//! Helpers that the tests of several crates share: waiting for a condition, requests to a
//! router, orders and outbox records, and a network that can fail.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test that cannot go on has failed"
)]

mod dead_letters;
mod events;
mod eventually;
mod http;
mod log;
mod orders;
mod proxy;

pub use dead_letters::{open_dead_letters, stored_dead_letters};
pub use events::{cancelled, created, published_event, readable, unreadable};
pub use eventually::eventually;
pub use http::{free_address, get_json, post_json};
pub use log::Log;
pub use orders::{new_order, outbox_record, place_order};
pub use proxy::{Network, Proxy};
