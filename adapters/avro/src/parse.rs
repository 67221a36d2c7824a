//! Reads schemas that others wrote, within bounds: whatever a text holds, reading it ends soon, needs
//! little memory, and fits on the stack of a worker thread.

mod reduce;
mod visits;

use apache_avro::Schema;
use apache_avro::schema::ResolvedSchema;
use serde_json::Value;

use self::reduce::Reduce;

/// The longest text. Our schemas have 3 kB; this leaves room for the largest that people write.
const MOST_TEXT: usize = 256 * 1024;

/// How deeply types may be nested, in a schema as in the data. Our events are 7 deep. A test reads,
/// decodes and compares at this depth on half of a worker's stack.
pub(super) const MOST_DEPTH: usize = 24;

/// Why a text is no schema to work with.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// It is no Avro schema.
    #[error("it is no Avro schema")]
    NotAvro(#[source] Box<apache_avro::Error>),
    /// It is no JSON, or JSON that is nested deeper than any schema.
    #[error("it is no JSON")]
    NotJson(#[source] serde_json::Error),
    /// The text is too long.
    #[error("the schema has {0} bytes; at most {MOST_TEXT} are read")]
    TooLong(usize),
    /// Types are nested too deeply.
    #[error("the schema nests types more than {MOST_DEPTH} deep")]
    TooDeep,
    /// A size, a precision or a scale is greater than that of any type in use.
    #[error("the schema has a size, precision or scale beyond 2^30")]
    NumberTooGreat,
    /// Its defaults take too long to check.
    #[error("the schema uses its types within each other too often to check its defaults")]
    TooLarge,
}

/// Reads the schema of a writer, to decode with. What does not matter to its bytes, such as defaults
/// and documentation, is left out.
///
/// # Errors
/// When it is no Avro schema, or is beyond the bounds.
pub fn parse_writer(text: &str) -> Result<Schema, SchemaError> {
    let json = json(text)?;
    avro(&Reduce::default().schema(&json)?)
}

/// Reads a schema with its defaults, to compare or to register.
///
/// # Errors
/// When it is no Avro schema, or is beyond the bounds.
pub fn parse(text: &str) -> Result<Schema, SchemaError> {
    let json = json(text)?;
    let mut reduce = Reduce::keeping_defaults();
    let whole = reduce.schema(&json)?;
    if reduce.defaults > 0 {
        // The library tries a default on its type while it reads. What that takes, and whether it
        // ends, is found out without them.
        let bare = avro(&Reduce::default().schema(&json)?)?;
        let names =
            ResolvedSchema::new(&bare).map_err(|source| SchemaError::NotAvro(Box::new(source)))?;
        visits::check(&bare, names.get_names(), reduce.defaults)?;
    }
    avro(&whole)
}

/// The full name of the type that a text describes, or the word for it, such as `string`; `None` if
/// the text does not tell. It need not be a schema that can be used.
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

/// Follows at most 128 levels, which is `serde_json`'s own bound.
fn json(text: &str) -> Result<Value, SchemaError> {
    if text.len() > MOST_TEXT {
        return Err(SchemaError::TooLong(text.len()));
    }
    serde_json::from_str(text).map_err(SchemaError::NotJson)
}

fn avro(json: &Value) -> Result<Schema, SchemaError> {
    Schema::parse(json).map_err(|source| SchemaError::NotAvro(Box::new(source)))
}
