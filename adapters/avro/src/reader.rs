use application::event_format::EventReader;
use application::one_line;
use application::published::Unreadable;

use super::catalogue::newest;
use super::{DecodePayload, decode, parse_writer, type_name};

/// The reader for data that was written with this schema, given as text. An event of another context
/// is of an unknown type.
#[must_use]
pub fn reader<P: DecodePayload>(schema: &str) -> EventReader<P> {
    if let Some(name) = type_name(schema)
        && newest(P::schemas(), &name).is_none()
    {
        return EventReader::UnknownType(name);
    }
    match parse_writer(schema) {
        Ok(writer) => EventReader::Decodes(Box::new(move |datum| {
            decode(&writer, datum).map_err(|error| Unreadable(one_line(&error)))
        })),
        Err(error) => EventReader::Unusable(one_line(&error)),
    }
}
