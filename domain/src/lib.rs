//! The business rules of ordering and of the pharmacy. No I/O.
//!
//! Nothing here reads a clock, generates a random number or waits. Time and ids are arguments, so
//! every rule can be tested as a plain function.
//!
//! [`ordering`] defines what an order is and which events it records. [`pharmacy`] is a separate
//! context with its own aggregate. The two share only the types in this module.

mod characters;
mod event_id;
mod event_stamp;
mod order_id;
mod order_version;
mod outcome;
mod text;
mod timestamp;

pub mod ordering;
pub mod pharmacy;

pub use event_id::EventId;
pub use event_stamp::EventStamp;
pub use order_id::{OrderId, ParseIdError};
pub use order_version::{OrderVersion, OrderVersionError};
pub use outcome::Outcome;
pub use text::TextError;
pub use timestamp::{Timestamp, TimestampError};
