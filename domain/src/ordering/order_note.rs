use std::fmt;
use std::str::FromStr;

use crate::text::{TextError, readable_lines, stored_lines};

/// The customer's note about the order: 1 to 1000 characters after trimming, any number of lines.
///
/// Like FHIR R4's `MedicationRequest.note`, it is free text for people. Lines end with `\n`.
/// [`TextError`] lists what is refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrderNote(String);

impl OrderNote {
    /// Maximum number of characters.
    pub const MAX_CHARS: usize = 1000;

    /// The value from a store. Rules that were added after it was stored do not apply.
    ///
    /// # Errors
    /// When no version could have stored it.
    pub fn restore(text: &str) -> Result<Self, TextError> {
        stored_lines(text, Self::MAX_CHARS).map(Self)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OrderNote {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        readable_lines(text, Self::MAX_CHARS).map(Self)
    }
}

impl fmt::Display for OrderNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
