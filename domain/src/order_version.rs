use std::fmt;
use std::str::FromStr;

/// The number of events an order has recorded: 1 when it is placed, plus 1 for each later event.
///
/// Stores use it to detect concurrent writes of one order. Consumers use it to detect old events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderVersion(i64);

/// The error for a number that is not a valid version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an order version must be a whole number, 1 or greater")]
pub struct OrderVersionError;

impl OrderVersion {
    /// The version of an order that has just been placed.
    pub const FIRST: Self = Self(1);

    /// The version after one more event. The greatest version stays as it is.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The number, 1 or greater.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for OrderVersion {
    type Error = OrderVersionError;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        if number >= 1 { Ok(Self(number)) } else { Err(OrderVersionError) }
    }
}

impl fmt::Display for OrderVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for OrderVersion {
    type Err = OrderVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<i64>().map_err(|_| OrderVersionError)?.try_into()
    }
}
