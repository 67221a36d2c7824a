use std::fmt;
use std::str::FromStr;

use super::text::{TextError, fits};

/// A code of a code system: 1 to 64 characters. The only whitespace allowed is a single space
/// between other characters.
///
/// This is FHIR R4's primitive type `code`, `[^\s]+(\s[^\s]+)*`
/// (<https://hl7.org/fhir/R4/datatypes.html#code>), without control characters. The text is not
/// trimmed, because codes are compared exactly: a different spelling is a different code.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Code(String);

/// Why a text is not a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// It is empty or too long.
    #[error(transparent)]
    Text(#[from] TextError),
    /// It starts or ends with whitespace, has two spaces in a row, or whitespace other than spaces.
    #[error("must not contain whitespace except single spaces between other characters")]
    Whitespace,
    /// It has a control character. Not every database can store these.
    #[error("must not contain control characters")]
    ControlCharacter,
}

impl Code {
    /// Maximum number of characters.
    pub const MAX_CHARS: usize = 64;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        fits(text, Self::MAX_CHARS)?;
        if text.split(' ').any(|part| part.is_empty() || part.contains(char::is_whitespace)) {
            return Err(CodeError::Whitespace);
        }
        if text.chars().any(char::is_control) {
            return Err(CodeError::ControlCharacter);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
