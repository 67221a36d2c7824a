//! What the product does, told over ports.
//!
//! A use case is a free function (a verb phrase such as [`ordering::place_order`]) over the ports
//! it needs. A port is a trait; whatever implements one passes its contract suite (feature
//! `testing`), be it in memory or Postgres. One port call is one transaction.

pub mod dead_letters;
mod error_chain;
pub mod event_format;
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
