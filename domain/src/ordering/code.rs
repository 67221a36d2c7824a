use std::fmt;
use std::str::FromStr;

use crate::characters::is_blank_at_start;
use crate::text::{TextError, check_characters, fits, stored};

/// A code of a code system: 1 to 64 characters, all of them visible. The only whitespace allowed is
/// a single space between other characters.
///
/// This is FHIR R4's primitive type `code`, `[^\s]+(\s[^\s]+)*`
/// (<https://hl7.org/fhir/R4/datatypes.html#code>), without the characters that [`TextError`] lists
/// and without invisible ones. The text is not trimmed, because codes are compared exactly: a
/// different spelling is a different code. Two codes that look the same would be different too.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Code(String);

/// Why a text is not a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// It is empty or too long, or has a character that no text may have.
    #[error(transparent)]
    Text(#[from] TextError),
    /// It starts or ends with whitespace, has two spaces in a row, or whitespace other than spaces.
    #[error("must not contain whitespace except single spaces between other characters")]
    Whitespace,
    /// It has an invisible character. Its readers would see another code.
    #[error("must not contain U+{:04X}, which is invisible", u32::from(*.0))]
    Invisible(char),
}

impl Code {
    /// Maximum number of characters.
    pub const MAX_CHARS: usize = 64;

    /// The value from a store. Rules that were added after it was stored do not apply.
    ///
    /// # Errors
    /// When no version could have stored it.
    pub fn restore(text: &str) -> Result<Self, CodeError> {
        fits(text, Self::MAX_CHARS)?;
        if text.split(' ').any(|part| part.is_empty() || part.contains(char::is_whitespace)) {
            return Err(CodeError::Whitespace);
        }
        Ok(Self(stored(text, Self::MAX_CHARS)?))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let code = Self::restore(text)?;
        match text.chars().find(|c| *c != ' ' && is_blank_at_start(*c)) {
            Some(found) => Err(CodeError::Invisible(found)),
            None => Ok(check_characters(text).map(|()| code)?),
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
