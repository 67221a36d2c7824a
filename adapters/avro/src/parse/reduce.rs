use serde_json::{Map, Value};

use super::{MOST_DEPTH, SchemaError};

/// The greatest size, precision or scale.
const GREATEST_NUMBER: u32 = 1 << 30;

/// Leaves out of a schema's JSON what says nothing of its types.
///
/// Aliases of types go as well: nothing here goes by them, and the library takes an alias that is
/// also the name of another type for that type.
#[derive(Default)]
pub(super) struct Reduce {
    keep_defaults: bool,
    /// The values in all defaults that were kept.
    pub(super) defaults: usize,
}

impl Reduce {
    pub(super) fn keeping_defaults() -> Self {
        Self { keep_defaults: true, defaults: 0 }
    }

    /// # Errors
    /// When types are nested too deeply.
    pub(super) fn schema(&mut self, json: &Value) -> Result<Value, SchemaError> {
        self.kind(json, 0)
    }

    /// A type: a name, a definition, or the branches of a union.
    fn kind(&mut self, json: &Value, depth: usize) -> Result<Value, SchemaError> {
        if depth > MOST_DEPTH {
            return Err(SchemaError::TooDeep);
        }
        match json {
            Value::Array(branches) => self.all(branches, |this, b| this.kind(b, depth + 1)),
            Value::Object(members) => {
                let is_enum = members.get("type").is_some_and(|kind| kind == "enum");
                self.members(members, |this, key, value| match (key, value) {
                    ("type" | "items" | "values", _) => this.kind(value, depth + 1).map(Some),
                    ("fields", Value::Array(fields)) => {
                        this.all(fields, |this, field| this.field(field, depth)).map(Some)
                    }
                    ("size" | "precision" | "scale", _) => number(value).map(Some),
                    ("name" | "namespace" | "symbols" | "fields" | "logicalType", _) => {
                        Ok(Some(value.clone()))
                    }
                    ("default", _) if is_enum => Ok(Some(value.clone())),
                    _ => Ok(None),
                })
            }
            word => Ok(word.clone()),
        }
    }

    fn field(&mut self, json: &Value, depth: usize) -> Result<Value, SchemaError> {
        let Value::Object(members) = json else {
            return Ok(json.clone());
        };
        self.members(members, |this, key, value| match key {
            "type" => this.kind(value, depth + 1).map(Some),
            "name" | "aliases" => Ok(Some(value.clone())),
            "default" if this.keep_defaults => {
                this.defaults += count(value);
                Ok(Some(value.clone()))
            }
            _ => Ok(None),
        })
    }

    fn all(
        &mut self,
        values: &[Value],
        mut reduce: impl FnMut(&mut Self, &Value) -> Result<Value, SchemaError>,
    ) -> Result<Value, SchemaError> {
        values.iter().map(|value| reduce(self, value)).collect::<Result<_, _>>().map(Value::Array)
    }

    fn members(
        &mut self,
        members: &Map<String, Value>,
        mut reduce: impl FnMut(&mut Self, &str, &Value) -> Result<Option<Value>, SchemaError>,
    ) -> Result<Value, SchemaError> {
        let mut kept = Map::new();
        for (key, value) in members {
            if let Some(value) = reduce(self, key, value)? {
                kept.insert(key.clone(), value);
            }
        }
        Ok(Value::Object(kept))
    }
}

/// A number of a type. The library panics at some that are too great.
fn number(json: &Value) -> Result<Value, SchemaError> {
    match json.as_f64() {
        Some(number) if number > GREATEST_NUMBER.into() => Err(SchemaError::NumberTooGreat),
        _ => Ok(json.clone()),
    }
}

/// The values in a default, itself included.
fn count(default: &Value) -> usize {
    1 + match default {
        Value::Array(values) => values.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}
