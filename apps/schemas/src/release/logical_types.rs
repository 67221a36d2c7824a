use serde_json::Value;

/// The logical types of Avro.
const KNOWN: [&str; 13] = [
    "big-decimal",
    "date",
    "decimal",
    "duration",
    "local-timestamp-micros",
    "local-timestamp-millis",
    "local-timestamp-nanos",
    "time-micros",
    "time-millis",
    "timestamp-micros",
    "timestamp-millis",
    "timestamp-nanos",
    "uuid",
];

/// Returns the first logical type in the schema that Avro does not know. Avro ignores it, so that
/// the compatibility check would not notice a change. It may be a typing error or a custom type.
pub(super) fn unknown(schema: &Value) -> Option<&str> {
    match schema {
        Value::Object(members) => {
            let own = members.get("logicalType").and_then(Value::as_str);
            own.filter(|name| !KNOWN.contains(name)).or_else(|| members.values().find_map(unknown))
        }
        Value::Array(values) => values.iter().find_map(unknown),
        _ => None,
    }
}
