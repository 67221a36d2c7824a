//! The published language in Avro: the schemas of `schemas/`, compiled in.
//!
//! Whoever writes needs no registry to encode an event, and whoever reads understands every
//! version that was ever released. A released schema is never edited; a new version can be read by
//! old readers and can read what old writers wrote.

mod catalogue;
pub mod compatibility;
mod datum;
mod decode;
mod encode;
mod fault;
mod parse;
mod reader;
#[cfg(test)]
mod tests;

pub use catalogue::{latest, published};
pub use datum::DatumError;
pub use decode::{DecodeError, decode};
pub use encode::{EncodeError, encode};
pub use fault::AvroFault;
pub use parse::{SchemaError, parse, parse_writer, type_name};
pub use reader::reader;

use std::error::Error;

use application::event_format::{EncodedEvent, EventSchemas};
use domain::ordering::OrderEvent;

/// The released schemas, for adapters that carry the bytes of events.
pub const SCHEMAS: EventSchemas = EventSchemas { released: published, reader };

/// [`encode`], for adapters that store events.
///
/// # Errors
/// When the event does not fit its schema.
pub fn encode_event(event: &OrderEvent) -> Result<EncodedEvent, Box<dyn Error + Send + Sync>> {
    Ok(encode(event)?)
}
