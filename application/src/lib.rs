//! The use cases of the product, and the ports they need.
//!
//! A use case is a free function, named by a verb phrase such as [`ordering::place_order`]. A port
//! is a trait. Every implementation of a port, in memory or Postgres, passes the port's contract
//! tests (feature `testing`). One port call is one transaction.

pub mod dead_letters;
mod error_chain;
pub mod event_format;
pub mod housekeeping;
pub mod inbox;
pub mod notification;
pub mod ordering;
pub mod paging;
pub mod pharmacy;
pub mod published;
pub mod reconcile;
pub mod relay;
mod store_error;
#[cfg(feature = "testing")]
pub mod testing;

pub use error_chain::one_line;
pub use store_error::StoreError;
