use std::error::Error;
use std::fmt::Write;

use adapter_avro as avro;
use application::one_line;
use serde_json::Value;

use super::api_error::ApiError;

/// An Avro schema that was understood.
#[derive(Debug, Clone)]
pub(super) struct Schema {
    text: String,
    canonical: String,
}

impl Schema {
    /// Reads a schema.
    pub(super) fn parse(text: &str) -> Result<Self, ApiError> {
        if text.trim().is_empty() {
            return Err(ApiError::InvalidSchema("it is empty".to_owned()));
        }
        let invalid = |error: &(dyn Error + 'static)| ApiError::InvalidSchema(one_line(error));
        avro::parse(text).map_err(|error| invalid(&error))?;
        let json = serde_json::from_str(text).map_err(|error| invalid(&error))?;
        let mut canonical = String::new();
        write_sorted(&json, &mut canonical);
        Ok(Self { text: text.to_owned(), canonical })
    }

    /// As it was sent.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Without spaces and with sorted keys: equal for schemas that say the same, documentation
    /// and defaults included.
    pub(super) fn canonical(&self) -> &[u8] {
        self.canonical.as_bytes()
    }
}

/// Sorts by itself: whether `serde_json` keeps the order of keys is up to any crate in the build.
fn write_sorted(json: &Value, out: &mut String) {
    match json {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            out.push('{');
            for (index, (key, value)) in members.into_iter().enumerate() {
                let comma = if index == 0 { "" } else { "," };
                let _ = write!(out, "{comma}{}:", Value::from(key.as_str()));
                write_sorted(value, out);
            }
            out.push('}');
        }
        Value::Array(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_sorted(value, out);
            }
            out.push(']');
        }
        scalar => {
            let _ = write!(out, "{scalar}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_and_the_order_of_keys_do_not_make_another_schema() {
        let one = Schema::parse(r#"{"type":"enum","name":"E","symbols":["A","B"]}"#).unwrap();
        let other =
            Schema::parse(r#" { "name": "E", "symbols": ["A", "B"], "type": "enum" } "#).unwrap();
        assert_eq!(one.canonical(), other.canonical());
    }

    #[test]
    fn documentation_and_the_order_of_symbols_make_another_schema() {
        let schemas = [
            r#"{"type":"enum","name":"E","symbols":["A","B"]}"#,
            r#"{"type":"enum","name":"E","symbols":["B","A"]}"#,
            r#"{"type":"enum","name":"E","symbols":["A","B"],"doc":"E"}"#,
        ]
        .map(|text| Schema::parse(text).unwrap());
        assert_ne!(schemas[0].canonical(), schemas[1].canonical());
        assert_ne!(schemas[0].canonical(), schemas[2].canonical());
    }

    #[test]
    fn what_is_no_schema_is_refused_with_the_reason() {
        for text in ["", " ", "{", r#"{"type":"record","name":"R"}"#, r#"{"type":"nothing"}"#] {
            let refusal = Schema::parse(text).unwrap_err();
            assert!(matches!(&refusal, ApiError::InvalidSchema(why) if !why.is_empty()), "{text}");
        }
    }
}
