//! Parsing of schemas from other programs, with limits.
//!
//! For any text, parsing takes little time and memory and does not overflow the stack of a worker
//! thread.

mod default_cost;
mod filter;

use apache_avro::Schema;
use apache_avro::schema::ResolvedSchema;
use serde_json::Value;

use self::filter::SchemaFilter;

/// Maximum length of a schema's text. Our schemas have 3 kB; this is enough for very large ones.
const MAX_TEXT: usize = 256 * 1024;

/// Maximum nesting of types in a schema and of values in data. Our events have 7 levels. A test
/// parses, decodes and compares at this depth with half of a worker's stack.
pub(super) const MAX_DEPTH: usize = 24;

/// Why a schema cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// It is not an Avro schema.
    #[error("it is not an Avro schema")]
    NotAvro(#[source] Box<apache_avro::Error>),
    /// It is not JSON, or the JSON is nested too deeply for a schema.
    #[error("it is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// The text is too long.
    #[error("the schema has {0} bytes; at most {MAX_TEXT} are read")]
    TooLong(usize),
    /// Types are nested too deeply.
    #[error("the schema nests types more than {MAX_DEPTH} deep")]
    TooDeep,
    /// A size, a precision or a scale is larger than that of any type in use.
    #[error("the schema has a size, precision or scale beyond 2^30")]
    NumberTooGreat,
    /// Checking its defaults would take too long.
    #[error("the schema nests its types too often to check the default values")]
    TooLarge,
}

/// Parses a writer's schema for decoding. Parts that do not affect the encoding, such as defaults
/// and documentation, are removed.
///
/// # Errors
/// When it is not an Avro schema, or exceeds the limits.
pub fn parse_writer(text: &str) -> Result<Schema, SchemaError> {
    let json = json(text)?;
    avro(&SchemaFilter::default().schema(&json)?)
}

/// Parses a schema with its defaults, to compare or to register it.
///
/// # Errors
/// When it is not an Avro schema, or exceeds the limits.
pub fn parse(text: &str) -> Result<Schema, SchemaError> {
    let json = json(text)?;
    let mut filter = SchemaFilter::keeping_defaults();
    let with_defaults = filter.schema(&json)?;
    if filter.defaults > 0 {
        // The library checks each default against its type while it parses. The cost of that is
        // computed first, with a schema without defaults.
        let bare = avro(&SchemaFilter::default().schema(&json)?)?;
        let names =
            ResolvedSchema::new(&bare).map_err(|source| SchemaError::NotAvro(Box::new(source)))?;
        default_cost::check(&bare, names.get_names(), filter.defaults)?;
    }
    avro(&with_defaults)
}

/// The full name of the type in a schema's text, or its keyword, such as `string`. `None` if the
/// text contains neither. The schema itself may be invalid.
#[must_use]
pub fn type_name(text: &str) -> Option<String> {
    match serde_json::from_str(text).ok()? {
        Value::String(word) => Some(word),
        Value::Array(_) => Some("union".to_owned()),
        Value::Object(members) => {
            let member = |key: &str| members.get(key).and_then(Value::as_str);
            match (member("name"), member("namespace")) {
                (Some(name), Some(space)) if !name.contains('.') && !space.is_empty() => {
                    Some(format!("{space}.{name}"))
                }
                (Some(name), _) => Some(name.to_owned()),
                (None, _) => member("type").map(ToOwned::to_owned),
            }
        }
        _ => None,
    }
}

/// Parses JSON with at most 128 levels, which is the limit of `serde_json`.
fn json(text: &str) -> Result<Value, SchemaError> {
    if text.len() > MAX_TEXT {
        return Err(SchemaError::TooLong(text.len()));
    }
    serde_json::from_str(text).map_err(SchemaError::NotJson)
}

fn avro(json: &Value) -> Result<Schema, SchemaError> {
    Schema::parse(json).map_err(|source| SchemaError::NotAvro(Box::new(source)))
}
