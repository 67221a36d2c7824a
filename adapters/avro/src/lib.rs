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
mod pharmacy_events;
mod reader;
mod redacted_error;
#[cfg(test)]
mod tests;

pub use catalogue::{latest, ordering, pharmacy, published};
pub use datum::DatumError;
pub use decode::{DecodeError, DecodePayload, decode};
pub use encode::{EncodeError, encode};
pub use parse::{SchemaError, parse, parse_writer, type_name};
pub use reader::reader;
pub use redacted_error::RedactedAvroError;

use std::error::Error;

use application::event_format::{EncodedEvent, EventSchemas};
use application::published::PharmacyPayload;
use domain::ordering::OrderEvent;
use domain::pharmacy::PharmacyEvent;

/// The released schemas of ordering's events, for adapters that send or receive them.
pub const ORDERING: EventSchemas = EventSchemas { released: ordering, reader };

/// The released schemas of the pharmacy's events, for adapters that send or receive them.
pub const PHARMACY: EventSchemas<PharmacyPayload> = EventSchemas { released: pharmacy, reader };

/// [`encode`], for adapters that store events.
///
/// # Errors
/// When the event does not fit its schema.
pub fn encode_event(event: &OrderEvent) -> Result<EncodedEvent, Box<dyn Error + Send + Sync>> {
    Ok(encode(event)?)
}

/// [`encode_event`], for the events of the pharmacy.
///
/// # Errors
/// When the event does not fit its schema.
pub fn encode_pharmacy_event(
    event: &PharmacyEvent,
) -> Result<EncodedEvent, Box<dyn Error + Send + Sync>> {
    Ok(pharmacy_events::encode(event)?)
}
