//! The business rules of ordering and of the pharmacy. No I/O.
//!
//! Nothing here reads a clock, generates a random number or waits. Time and ids are arguments, so
//! every rule can be tested as a plain function.
//!
//! [`ordering`] defines what an order is and which events it records. [`pharmacy`] is a separate
//! context with its own aggregate. [`notification`] knows how customers want to be told. The three
//! share only the types in this module.

mod characters;
mod customer_id;
mod event_id;
mod event_stamp;
mod order_id;
mod order_version;
mod outcome;
mod redacted_text;
mod text;
mod timestamp;

pub mod notification;
pub mod ordering;
pub mod pharmacy;

pub use customer_id::{CustomerId, CustomerIdError};
pub use event_id::EventId;
pub use event_stamp::EventStamp;
pub use order_id::{OrderId, ParseIdError};
pub use order_version::{OrderVersion, OrderVersionError};
pub use outcome::Outcome;
pub use redacted_text::REDACTED_TEXT;
pub use text::TextError;
pub use timestamp::{Timestamp, TimestampError};
