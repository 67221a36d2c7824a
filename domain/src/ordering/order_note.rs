use std::fmt;
use std::str::FromStr;

use super::text::{TextError, readable_lines};

/// What the customer has to say about the order: 1 to 1000 characters after trimming, in any number
/// of lines.
///
/// As in FHIR R4's `MedicationRequest.note`, it is for people to read. Lines end with `\n`; no other
/// control character is taken.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrderNote(String);

impl OrderNote {
    /// The most characters it may have.
    pub const MAX_CHARS: usize = 1000;

    /// The text itself.
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
