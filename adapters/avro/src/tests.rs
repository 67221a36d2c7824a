mod bounds;
mod compatibility;
mod fuzz;
mod golden;
mod pharmacy_events;
mod round_trip;

use std::fmt::Write as _;

use apache_avro::Schema;
use application::published::PublishedEvent;

use crate::DecodeError;

/// Decodes an event of ordering.
fn decode(writer: &Schema, datum: &[u8]) -> Result<PublishedEvent, DecodeError> {
    crate::decode(writer, datum)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}
