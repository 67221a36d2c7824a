use std::fmt;
use std::str::FromStr;

/// How many events an order has recorded: 1 when it is placed, one more with each event.
///
/// Two writers of one order are told apart by it, and a consumer tells an old event from a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderVersion(i64);

/// A number that no order's version can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an order's version is a whole number from 1 on")]
pub struct OrderVersionError;

impl OrderVersion {
    /// The version of an order that has just been placed.
    pub const FIRST: Self = Self(1);

    /// The version after one more event.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The number itself, from 1 on.
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
