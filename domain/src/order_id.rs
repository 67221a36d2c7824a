use std::fmt;
use std::str::FromStr;

use uuid::Uuid;
use uuid::fmt::Hyphenated;

/// The id of an order. It is assigned when the order is placed, and every context uses it.
///
/// Its text (hyphenated, lower case) is the key of the order's events in Kafka.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(Uuid);

/// The error for a text that is not a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057")]
pub struct ParseIdError;

impl OrderId {
    /// The order id with this UUID.
    #[must_use]
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// The UUID.
    #[must_use]
    pub const fn get(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for OrderId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_uuid(text).map(Self)
    }
}

/// Parses a UUID with hyphens, in either case: the text form of RFC 9562, which JSON Schema calls
/// `uuid`. The parser of `Uuid` also accepts a URN, braces, and no hyphens.
pub(crate) fn parse_uuid(text: &str) -> Result<Uuid, ParseIdError> {
    match Uuid::try_parse(text) {
        Ok(id) if text.len() == Hyphenated::LENGTH => Ok(id),
        _ => Err(ParseIdError),
    }
}
