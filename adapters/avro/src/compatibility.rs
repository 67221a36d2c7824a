//! Compatibility of two versions of a schema, with the field that is incompatible.
//!
//! The rules are those of Avro, but stricter where Avro would misinterpret bytes: a logical type
//! must not change, names are compared with their namespaces, and `bytes` cannot be read as
//! `string`.

mod describe;
mod read_check;

use apache_avro::Schema;

use self::read_check::ReadCheck;
use super::SchemaError;

/// Compatibility level of the schema registry: which schema must be able to read which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Not checked.
    None,
    /// The new schema can read data of the previous one.
    Backward,
    /// The new schema can read data of all earlier ones.
    BackwardTransitive,
    /// The previous schema can read data of the new one.
    Forward,
    /// All earlier schemas can read data of the new one.
    ForwardTransitive,
    /// Both directions, with the previous schema.
    Full,
    /// Both directions, with all earlier schemas. The level of this product's events.
    FullTransitive,
}

/// Which of two schemas cannot read data of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The newer cannot read data of the older.
    Backward,
    /// The older cannot read data of the newer.
    Forward,
}

/// Why two schemas are incompatible.
#[derive(Debug, thiserror::Error)]
pub enum Incompatible {
    /// One of the texts is not an Avro schema.
    #[error("the {which} schema cannot be used")]
    NotAvro {
        /// `older` or `newer`.
        which: &'static str,
        /// What is wrong with it.
        #[source]
        source: SchemaError,
    },
    /// One schema cannot read data of the other.
    #[error("{place}: {reason}, so that {reader}", reader = match .direction {
        Direction::Backward => "the newer schema cannot read data of the older schema",
        Direction::Forward => "the older schema cannot read data of the newer schema",
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

    /// Whether all earlier versions are checked, not only the previous one.
    #[must_use]
    pub const fn is_transitive(self) -> bool {
        matches!(self, Self::BackwardTransitive | Self::ForwardTransitive | Self::FullTransitive)
    }
}

/// Checks a newer schema against an older one.
///
/// # Errors
/// When they are incompatible at `level`. A schema that can read only some of the data is
/// incompatible.
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
        if let Err(mismatch) = ReadCheck::check(writer, reader, direction) {
            let place = if mismatch.place.is_empty() {
                "the schema itself".to_owned()
            } else {
                format!("field {}", mismatch.place)
            };
            return Err(Incompatible::At { place, reason: mismatch.reason, direction });
        }
    }
    Ok(())
}

/// Checks a newer schema against the earlier versions (oldest first), or only against the last of
/// them if `level` is not transitive.
///
/// # Errors
/// The index in `history` of the first incompatible version, and why it is incompatible.
pub fn check_history<'a>(
    history: &[&'a str],
    newer: &'a str,
    level: Level,
) -> Result<(), (usize, Incompatible)> {
    let from = if level.is_transitive() { 0 } else { history.len().saturating_sub(1) };
    history.iter().enumerate().skip(from).try_for_each(|(index, older)| {
        check(older, newer, level).map_err(|incompatible| (index, incompatible))
    })
}

fn parse(json: &str, which: &'static str) -> Result<Schema, Incompatible> {
    super::parse(json).map_err(|source| Incompatible::NotAvro { which, source })
}
