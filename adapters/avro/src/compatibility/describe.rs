use apache_avro::Schema;
use apache_avro::schema::{FixedSchema, InnerDecimalSchema, UuidSchema};

/// A schema in a word or two: `string`, `record orders.OrderItem`, `union of null, string`. Two
/// schemas without parts are the same exactly when their words are.
pub(super) fn describe(schema: &Schema) -> String {
    let word = match schema {
        Schema::Null => "null",
        Schema::Boolean => "boolean",
        Schema::Int => "int",
        Schema::Long => "long",
        Schema::Float => "float",
        Schema::Double => "double",
        Schema::Bytes => "bytes",
        Schema::String => "string",
        Schema::BigDecimal => "big-decimal",
        Schema::Uuid(UuidSchema::String) => "uuid",
        Schema::Uuid(UuidSchema::Bytes) => "uuid in bytes",
        Schema::Date => "date",
        Schema::TimeMillis => "time-millis",
        Schema::TimeMicros => "time-micros",
        Schema::TimestampMillis => "timestamp-millis",
        Schema::TimestampMicros => "timestamp-micros",
        Schema::TimestampNanos => "timestamp-nanos",
        Schema::LocalTimestampMillis => "local-timestamp-millis",
        Schema::LocalTimestampMicros => "local-timestamp-micros",
        Schema::LocalTimestampNanos => "local-timestamp-nanos",
        Schema::Array(array) => return format!("array of {}", describe(&array.items)),
        Schema::Map(map) => return format!("map of {}", describe(&map.types)),
        Schema::Union(union) => {
            let parts: Vec<String> = union.variants().iter().map(describe).collect();
            return format!("union of {}", parts.join(", "));
        }
        Schema::Record(record) => return format!("record {}", record.name),
        Schema::Enum(symbols) => return format!("enum {}", symbols.name),
        Schema::Fixed(fixed) => return sized(fixed),
        Schema::Decimal(decimal) => {
            let (precision, scale) = (decimal.precision, decimal.scale);
            return match &decimal.inner {
                InnerDecimalSchema::Bytes => format!("decimal({precision}, {scale})"),
                InnerDecimalSchema::Fixed(fixed) => {
                    format!("decimal({precision}, {scale}) in {}", sized(fixed))
                }
            };
        }
        Schema::Uuid(UuidSchema::Fixed(fixed)) => return format!("uuid in {}", sized(fixed)),
        Schema::Duration(fixed) => return format!("duration in {}", sized(fixed)),
        Schema::Ref { name } => return name.to_string(),
    };
    word.to_owned()
}

fn sized(fixed: &FixedSchema) -> String {
    format!("fixed {} of {} bytes", fixed.name, fixed.size)
}

/// Whether the bytes carry a meaning of their own beside their type, such as a unit.
pub(super) const fn is_logical(schema: &Schema) -> bool {
    matches!(
        schema,
        Schema::BigDecimal
            | Schema::Date
            | Schema::Decimal(_)
            | Schema::Duration(_)
            | Schema::LocalTimestampMicros
            | Schema::LocalTimestampMillis
            | Schema::LocalTimestampNanos
            | Schema::TimeMicros
            | Schema::TimeMillis
            | Schema::TimestampMicros
            | Schema::TimestampMillis
            | Schema::TimestampNanos
            | Schema::Uuid(_)
    )
}
