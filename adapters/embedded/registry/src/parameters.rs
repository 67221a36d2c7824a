//! Values in requests: version numbers and compatibility levels.

use std::fmt;
use std::str::FromStr;

use adapter_avro::compatibility::Level;

/// The version of a subject that a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// The highest version that is not deleted.
    Latest,
    /// This version.
    Number(i32),
}

/// The text is not a version.
#[derive(Debug)]
pub(super) struct InvalidVersion(pub(super) String);

/// The text is not the name of a compatibility level.
#[derive(Debug)]
pub(super) struct InvalidLevel;

impl Version {
    /// The number. `None` for the latest version.
    pub(super) const fn number(self) -> Option<i32> {
        match self {
            Self::Latest => None,
            Self::Number(number) => Some(number),
        }
    }
}

impl FromStr for Version {
    type Err = InvalidVersion;

    /// Parses a number of at least 1, `latest`, or -1, which is an old name for `latest`.
    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        match text.parse::<i32>() {
            _ if text == "latest" => Ok(Self::Latest),
            Ok(-1) => Ok(Self::Latest),
            Ok(number) if number > 0 => Ok(Self::Number(number)),
            _ => Err(InvalidVersion(text.to_owned())),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("latest"),
            Self::Number(number) => number.fmt(f),
        }
    }
}

/// The global level until another one is set: the one that the published events need.
///
/// The default of Confluent is `BACKWARD`, which allows a new version that older readers cannot
/// read.
pub(super) const DEFAULT_LEVEL: Level = Level::FullTransitive;

const LEVELS: [Level; 7] = [
    Level::None,
    Level::Backward,
    Level::BackwardTransitive,
    Level::Forward,
    Level::ForwardTransitive,
    Level::Full,
    Level::FullTransitive,
];

/// The name of a level in the API.
pub(super) const fn level_name(level: Level) -> &'static str {
    match level {
        Level::None => "NONE",
        Level::Backward => "BACKWARD",
        Level::BackwardTransitive => "BACKWARD_TRANSITIVE",
        Level::Forward => "FORWARD",
        Level::ForwardTransitive => "FORWARD_TRANSITIVE",
        Level::Full => "FULL",
        Level::FullTransitive => "FULL_TRANSITIVE",
    }
}

/// The names of all levels, for an error message.
pub(super) fn level_names() -> String {
    LEVELS.map(level_name).join(", ")
}

/// Parses the name of a level, ignoring case.
pub(super) fn parse_level(text: &str) -> Result<Level, InvalidLevel> {
    let level = LEVELS.into_iter().find(|level| level_name(*level).eq_ignore_ascii_case(text));
    level.ok_or(InvalidLevel)
}
