use std::fmt;
use std::str::FromStr;

use super::api_error::ApiError;

/// Which version of a subject is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// The highest one that is not deleted.
    Latest,
    /// This one.
    Number(i32),
}

impl Version {
    /// The number, unless the latest is meant.
    pub(super) const fn number(self) -> Option<i32> {
        match self {
            Self::Latest => None,
            Self::Number(number) => Some(number),
        }
    }
}

impl FromStr for Version {
    type Err = ApiError;

    /// Reads a number from 1 on, `latest`, or -1, an old name for it.
    fn from_str(text: &str) -> Result<Self, ApiError> {
        match text.parse::<i32>() {
            _ if text == "latest" => Ok(Self::Latest),
            Ok(-1) => Ok(Self::Latest),
            Ok(number) if number > 0 => Ok(Self::Number(number)),
            _ => Err(ApiError::InvalidVersion(text.to_owned())),
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
