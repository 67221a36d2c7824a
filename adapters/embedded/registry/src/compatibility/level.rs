//! The levels by their names in the API.

use adapter_avro::compatibility::Level;

use super::super::api_error::ApiError;

/// Where nothing else is set: what the published language promises. Confluent's registry begins with
/// `BACKWARD`, which lets a writer break those who read with an older version.
pub(in super::super) const DEFAULT: Level = Level::FullTransitive;

/// All levels.
const ALL: [Level; 7] = [
    Level::None,
    Level::Backward,
    Level::BackwardTransitive,
    Level::Forward,
    Level::ForwardTransitive,
    Level::Full,
    Level::FullTransitive,
];

/// A level's name.
pub(in super::super) const fn name(level: Level) -> &'static str {
    match level {
        Level::None => "NONE",
        Level::Backward => "BACKWARD",
        Level::BackwardTransitive => "BACKWARD_TRANSITIVE",
        Level::Forward => "FORWARD",
        Level::ForwardTransitive => "FORWARD_TRANSITIVE",
        Level::Full => "FULL",
        Level::FullTransitive => "FULL_TRANSITIVE",
    }
}

/// All names, for who gave another.
pub(in super::super) fn names() -> String {
    ALL.map(name).join(", ")
}

/// Reads a name, in capitals or not.
pub(in super::super) fn parse(text: &str) -> Result<Level, ApiError> {
    let level = ALL.into_iter().find(|level| name(*level).eq_ignore_ascii_case(text));
    level.ok_or(ApiError::InvalidLevel)
}
