use serde_json::Value;

/// The logical types that Avro knows.
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

/// The first logical type in a schema that Avro does not know. Avro reads over it, so that nobody
/// would notice when it changes: it may be a slip of the pen, or a unit of one's own.
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
