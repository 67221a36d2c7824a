//! Whether two versions of a schema understand each other, and which field is to blame if not.

use apache_avro::Schema;
use apache_avro::schema::{RecordField, RecordSchema};
use apache_avro::schema_compatibility::{Compatibility, SchemaCompatibility};

/// Who must be able to read what, in the schema registry's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Nothing is promised.
    None,
    /// The newer schema reads what the one before it wrote.
    Backward,
    /// The newer schema reads what any before it wrote.
    BackwardTransitive,
    /// The schema before it reads what the newer one writes.
    Forward,
    /// Every schema before it reads what the newer one writes.
    ForwardTransitive,
    /// Both directions, with the one before it.
    Full,
    /// Both directions, with all before it. What this product promises.
    FullTransitive,
}

/// Which of two schemas could not read what the other writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The newer could not read what the older wrote.
    Backward,
    /// The older could not read what the newer writes.
    Forward,
}

/// Why two schemas do not understand each other.
#[derive(Debug, thiserror::Error)]
pub enum Incompatible {
    /// One of the texts is no Avro schema.
    #[error("the {which} schema is no Avro schema")]
    NotAvro {
        /// `older` or `newer`.
        which: &'static str,
        /// What Avro says.
        #[source]
        source: Box<apache_avro::Error>,
    },
    /// One cannot read what the other writes.
    #[error("{place}: {reason}, so that {reader}", reader = match .direction {
        Direction::Backward => "the newer schema cannot read what the older wrote",
        Direction::Forward => "the older schema cannot read what the newer writes",
    })]
    At {
        /// The place in the schema, such as `items[].quantity`.
        place: String,
        /// What is wrong there.
        reason: String,
        /// Which of the two is the reader.
        direction: Direction,
    },
}

impl Level {
    fn directions(self) -> &'static [Direction] {
        match self {
            Self::None => &[],
            Self::Backward | Self::BackwardTransitive => &[Direction::Backward],
            Self::Forward | Self::ForwardTransitive => &[Direction::Forward],
            Self::Full | Self::FullTransitive => &[Direction::Backward, Direction::Forward],
        }
    }

    /// Whether all versions before count, not only the last.
    #[must_use]
    pub const fn is_transitive(self) -> bool {
        matches!(self, Self::BackwardTransitive | Self::ForwardTransitive | Self::FullTransitive)
    }
}

/// Checks a newer schema against one older.
///
/// # Errors
/// When they do not understand each other as `level` asks. What works for some data only counts as
/// not working.
pub fn check(older: &str, newer: &str, level: Level) -> Result<(), Incompatible> {
    if level == Level::None {
        return Ok(());
    }
    let older = parse(older, "older")?;
    let newer = parse(newer, "newer")?;
    for &direction in level.directions() {
        let (writer, reader) = match direction {
            Direction::Backward => (&older, &newer),
            Direction::Forward => (&newer, &older),
        };
        if !reads(writer, reader) {
            let (place, reason) = blame(writer, reader, direction, "");
            let place = if place.is_empty() {
                "the schema itself".to_owned()
            } else {
                format!("field {place}")
            };
            return Err(Incompatible::At { place, reason, direction });
        }
    }
    Ok(())
}

/// Checks a newer schema against the versions before it (oldest first), or against the last of
/// them if `level` is not transitive.
///
/// # Errors
/// Which version it does not go with (its place in `history`), and why.
pub fn check_history<'a>(
    history: &[&'a str],
    newer: &'a str,
    level: Level,
) -> Result<(), (usize, Incompatible)> {
    let from = if level.is_transitive() { 0 } else { history.len().saturating_sub(1) };
    history.iter().enumerate().skip(from).try_for_each(|(place, older)| {
        check(older, newer, level).map_err(|incompatible| (place, incompatible))
    })
}

fn parse(json: &str, which: &'static str) -> Result<Schema, Incompatible> {
    Schema::parse_str(json)
        .map_err(|source| Incompatible::NotAvro { which, source: Box::new(source) })
}

fn reads(writer: &Schema, reader: &Schema) -> bool {
    SchemaCompatibility::can_read(writer, reader) == Ok(Compatibility::Full)
}

/// The innermost place where the reader fails, and why. The library's own error stops at the
/// outermost field, and says nothing about what works in part only.
fn blame(writer: &Schema, reader: &Schema, direction: Direction, at: &str) -> (String, String) {
    match (writer, reader) {
        (Schema::Record(writer), Schema::Record(reader))
            if writer.name.name() == reader.name.name() =>
        {
            blame_fields(writer, reader, direction, at)
        }
        (Schema::Array(writer), Schema::Array(reader)) => {
            blame(&writer.items, &reader.items, direction, &format!("{at}[]"))
        }
        (Schema::Map(writer), Schema::Map(reader)) => {
            blame(&writer.types, &reader.types, direction, &format!("{at}{{}}"))
        }
        (Schema::Enum(writer), Schema::Enum(reader))
            if writer.name.name() == reader.name.name() =>
        {
            let unknown: Vec<&str> = writer
                .symbols
                .iter()
                .filter(|symbol| !reader.symbols.contains(symbol))
                .map(String::as_str)
                .collect();
            let did = match direction {
                Direction::Backward => "removed",
                Direction::Forward => "added",
            };
            (at.to_owned(), format!("the symbol {} was {did}", unknown.join(", ")))
        }
        (writer, reader) => {
            let (older, newer) = match direction {
                Direction::Backward => (writer, reader),
                Direction::Forward => (reader, writer),
            };
            let reason = format!("{} was changed to {}", describe(older), describe(newer));
            (at.to_owned(), reason)
        }
    }
}

fn blame_fields(
    writer: &RecordSchema,
    reader: &RecordSchema,
    direction: Direction,
    at: &str,
) -> (String, String) {
    for field in &reader.fields {
        let place = if at.is_empty() { field.name.clone() } else { format!("{at}.{}", field.name) };
        match written_as(field, writer) {
            Some(written) if reads(&written.schema, &field.schema) => {}
            Some(written) => return blame(&written.schema, &field.schema, direction, &place),
            None if field.default.is_some() => {}
            None => {
                let reason = match direction {
                    Direction::Backward => "was added (or renamed) without a default",
                    Direction::Forward => "was removed (or renamed) and has no default",
                };
                return (place, reason.to_owned());
            }
        }
    }
    (at.to_owned(), "the records differ".to_owned())
}

/// The writer's field that the reader takes for its own: of the same name, or of an alias.
fn written_as<'a>(field: &RecordField, writer: &'a RecordSchema) -> Option<&'a RecordField> {
    std::iter::once(&field.name)
        .chain(&field.aliases)
        .find_map(|name| writer.fields.iter().find(|written| &written.name == name))
}

/// A schema in a word or two: `string`, `record orders.OrderItem`, `union of null, string`.
fn describe(schema: &Schema) -> String {
    match schema {
        Schema::Union(union) => {
            let parts: Vec<String> = union.variants().iter().map(describe).collect();
            format!("union of {}", parts.join(", "))
        }
        Schema::Array(array) => format!("array of {}", describe(&array.items)),
        Schema::Map(map) => format!("map of {}", describe(&map.types)),
        Schema::Record(record) => format!("record {}", record.name),
        Schema::Enum(symbols) => format!("enum {}", symbols.name),
        Schema::Fixed(fixed) => format!("fixed {} of {} bytes", fixed.name, fixed.size),
        Schema::Ref { name } => name.to_string(),
        Schema::Decimal(decimal) => format!("decimal({}, {})", decimal.precision, decimal.scale),
        other => format!("{:?}", apache_avro::schema::SchemaKind::from(other)).to_lowercase(),
    }
}
