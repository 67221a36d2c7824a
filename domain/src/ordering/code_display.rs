use std::fmt;
use std::str::FromStr;

use crate::text::{TextError, readable, stored};

/// The readable name of a code: 1 to 200 characters after trimming. [`TextError`] lists what is
/// refused.
///
/// This is FHIR R4's `Coding.display`. FHIR also says that a `string` should have no control
/// characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CodeDisplay(String);

impl CodeDisplay {
    /// Maximum number of characters.
    pub const MAX_CHARS: usize = 200;

    /// The value from a store. Rules that were added after it was stored do not apply.
    ///
    /// # Errors
    /// When no version could have stored it.
    pub fn restore(text: &str) -> Result<Self, TextError> {
        stored(text, Self::MAX_CHARS).map(Self)
    }

    /// The text.
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
