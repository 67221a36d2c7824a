use std::fmt;
use std::str::FromStr;

use super::text::{TextError, fits};

/// A symbol of a code system: 1 to 64 characters, of which none is whitespace but single blanks
/// inside.
///
/// That is FHIR R4's primitive type `code`, `[^\s]+(\s[^\s]+)*`
/// (<https://hl7.org/fhir/R4/datatypes.html#code>), without its control characters. Whatever else
/// it holds, it is not trimmed: a code is compared, and another spelling is another code.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Code(String);

/// Why a text is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// It is empty or too long.
    #[error(transparent)]
    Text(#[from] TextError),
    /// It has whitespace at an end, two blanks in a row, or other whitespace than blanks.
    #[error("must have no whitespace but single blanks between other characters")]
    Whitespace,
    /// It has a control character, which not every store can keep.
    #[error("must not contain control characters")]
    ControlCharacter,
}

impl Code {
    /// The most characters it may have.
    pub const MAX_CHARS: usize = 64;

    /// The symbol itself.
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
