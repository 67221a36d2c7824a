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
pub mod release;
#[cfg(test)]
mod tests;

pub use catalogue::{PublishedSchema, by_fingerprint, latest, published};
pub use datum::DatumError;
pub use decode::{DecodeError, decode};
pub use encode::{EncodeError, Encoded, encode};
pub use fault::AvroFault;
pub use parse::{SchemaError, parse, parse_writer, type_name};
