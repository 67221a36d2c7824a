use application::event_format::EventReader;
use application::one_line;
use application::published::Unreadable;

use super::{decode, latest, parse_writer, type_name};

/// What can be done with the bytes that were written with this schema, given as its text.
#[must_use]
pub fn reader(schema: &str) -> EventReader {
    if let Some(name) = type_name(schema)
        && latest(&name).is_none()
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
