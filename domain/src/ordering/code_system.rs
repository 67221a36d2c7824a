use std::fmt;
use std::str::FromStr;

use super::text::{TextError, fits};

/// The terminology that gives a code its meaning, named by an absolute URI of 1 to 200 characters.
///
/// FHIR R4 says of `Coding.system` that it shall be an absolute reference, and of its type `uri` that
/// it holds no whitespace and that case matters. What an absolute URI is, RFC 3986 says: a scheme, a
/// colon, and a rest that is not empty here, of the characters section 2 lists.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CodeSystem(String);

/// Why a text names no code system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeSystemError {
    /// It is empty or too long.
    #[error(transparent)]
    Text(#[from] TextError),
    /// It is no absolute URI.
    #[error("must be an absolute URI, such as http://snomed.info/sct")]
    NotAbsoluteUri,
}

impl CodeSystem {
    /// The most characters it may have.
    pub const MAX_CHARS: usize = 200;

    /// The URI itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CodeSystem {
    type Err = CodeSystemError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        fits(text, Self::MAX_CHARS)?;
        match text.split_once(':') {
            Some((scheme, rest))
                if is_scheme(scheme) && !rest.is_empty() && rest.chars().all(is_in_uris) =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Err(CodeSystemError::NotAbsoluteUri),
        }
    }
}

/// RFC 3986, section 3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// RFC 3986, section 2: reserved, unreserved, or the beginning of an encoded octet.
fn is_in_uris(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(character)
}

impl fmt::Display for CodeSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
