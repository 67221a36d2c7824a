//! The name of a subject.

/// The longest subject, in bytes. A key of an index in Postgres has at most about 2,700 bytes.
pub(super) const MAX_BYTES: usize = 2048;

/// Names that the registry of Confluent uses itself.
const RESERVED: [&str; 2] = ["__GLOBAL", "__EMPTY"];

/// Whether a subject can have this name. The registry of Confluent has the same rules, except for the
/// length.
pub(super) fn is_valid(name: &str) -> bool {
    name.len() <= MAX_BYTES && !name.contains(char::is_control) && !RESERVED.contains(&name)
}

/// Whether subjects can start with this text. Postgres cannot compare a text with a NUL character.
pub(super) fn is_prefix(text: &str) -> bool {
    !text.contains('\0')
}
