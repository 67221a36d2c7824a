//! The rules of ordering and of the pharmacy, free of any technology.
//!
//! Nothing here reads a clock, draws a random number or waits: time and ids come in as arguments,
//! so every rule can be told, and tested, as a plain function.
//!
//! [`ordering`] decides what an order is and which events it records. [`pharmacy`] is another
//! context with an aggregate of its own; the two share only the identifiers in this module.

mod event_id;
mod order_id;
mod order_version;
mod outcome;
mod timestamp;

pub mod ordering;
pub mod pharmacy;

pub use event_id::EventId;
pub use order_id::{OrderId, ParseIdError};
pub use order_version::{OrderVersion, OrderVersionError};
pub use outcome::Outcome;
pub use timestamp::{Timestamp, TimestampError};
