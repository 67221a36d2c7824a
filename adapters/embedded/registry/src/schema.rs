use std::error::Error;
use std::fmt::Write;

use adapter_avro as avro;
use adapter_avro::compatibility::{Level, check_history};
use application::one_line;
use serde_json::Value;

use super::api_error::ApiError;

/// A valid Avro schema.
#[derive(Debug, Clone)]
pub(super) struct Schema {
    text: String,
    canonical: String,
}

impl Schema {
    /// Parses a schema.
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

    /// The text as the client sent it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The text without spaces and with sorted keys. It is equal for schemas that differ only in
    /// formatting, but not if documentation or defaults differ.
    pub(super) fn canonical(&self) -> &[u8] {
        self.canonical.as_bytes()
    }

    /// Why this schema is incompatible with the `earlier` versions (oldest first) at a level. Empty
    /// if it is compatible.
    pub(super) fn incompatibilities(&self, level: Level, earlier: &[(i32, Self)]) -> Vec<String> {
        let history: Vec<&str> = earlier.iter().map(|(_, schema)| schema.text()).collect();
        match check_history(&history, self.text(), level) {
            Ok(()) => Vec::new(),
            Err((index, why)) => {
                let version = earlier.get(index).map_or(0, |(version, _)| *version);
                vec![format!("version {version}: {}", one_line(&why))]
            }
        }
    }
}

/// Sorts the keys itself: any crate in the build can make `serde_json` preserve their order
/// instead.
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
    fn schemas_with_other_spaces_and_key_order_are_the_same() {
        let one = Schema::parse(r#"{"type":"enum","name":"E","symbols":["A","B"]}"#).unwrap();
        let other =
            Schema::parse(r#" { "name": "E", "symbols": ["A", "B"], "type": "enum" } "#).unwrap();
        assert_eq!(one.canonical(), other.canonical());
    }

    #[test]
    fn schemas_with_other_documentation_or_symbol_order_differ() {
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
    fn an_invalid_schema_is_refused_with_the_reason() {
        for text in ["", " ", "{", r#"{"type":"record","name":"R"}"#, r#"{"type":"nothing"}"#] {
            let refusal = Schema::parse(text).unwrap_err();
            assert!(matches!(&refusal, ApiError::InvalidSchema(why) if !why.is_empty()), "{text}");
        }
    }
}
