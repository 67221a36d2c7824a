use std::fmt;
use std::str::FromStr;

use super::text::{TextError, readable};

/// What a code system calls a code, for people to read: 1 to 200 characters after trimming, none of
/// them a control character.
///
/// FHIR R4's `Coding.display`; a `string` there should hold no such character either.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CodeDisplay(String);

impl CodeDisplay {
    /// The most characters it may have.
    pub const MAX_CHARS: usize = 200;

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CodeDisplay {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        readable(text, Self::MAX_CHARS).map(Self)
    }
}

impl fmt::Display for CodeDisplay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
