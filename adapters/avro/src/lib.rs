//! Avro schemas of the published events, compiled in from `schemas/`, and their encoding.
//!
//! Encoding needs no registry. Decoding understands every released version. A released schema is
//! never edited; a new version is compatible with all older ones in both directions.

mod catalogue;
pub mod compatibility;
mod datum;
mod decode;
mod encode;
mod parse;
mod reader;
mod redacted_error;
#[cfg(test)]
mod tests;

pub use catalogue::{latest, published};
pub use datum::DatumError;
pub use decode::{DecodeError, decode};
pub use encode::{EncodeError, encode};
pub use parse::{SchemaError, parse, parse_writer, type_name};
pub use reader::reader;
pub use redacted_error::RedactedAvroError;

use std::error::Error;

use application::event_format::{EncodedEvent, EventSchemas};
use domain::ordering::OrderEvent;

/// The released schemas, for adapters that store or send encoded events.
pub const SCHEMAS: EventSchemas = EventSchemas { released: published, reader };

/// [`encode`], for adapters that store events.
///
/// # Errors
/// When the event does not fit its schema.
pub fn encode_event(event: &OrderEvent) -> Result<EncodedEvent, Box<dyn Error + Send + Sync>> {
    Ok(encode(event)?)
}
