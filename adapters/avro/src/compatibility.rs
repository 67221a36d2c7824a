//! Whether two versions of a schema understand each other, and which field is to blame if not.
//!
//! The rules are Avro's, and stricter where Avro would read bytes as something they are not: a
//! logical type may not change, a name counts in full, and bytes are no string.

mod describe;
mod reading;

use apache_avro::Schema;

use self::reading::Reading;
use super::SchemaError;

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
    #[error("the {which} schema cannot be used")]
    NotAvro {
        /// `older` or `newer`.
        which: &'static str,
        /// What is wrong with it.
        #[source]
        source: SchemaError,
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
        if let Err(blame) = Reading::check(writer, reader, direction) {
            let place = if blame.place.is_empty() {
                "the schema itself".to_owned()
            } else {
                format!("field {}", blame.place)
            };
            return Err(Incompatible::At { place, reason: blame.reason, direction });
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
    super::parse(json).map_err(|source| Incompatible::NotAvro { which, source })
}
