use std::fmt;
use std::str::FromStr;

use crate::text::{TextError, fits};

/// The terminology that defines a code, given by an absolute URI of 1 to 200 characters.
///
/// FHIR R4 requires an absolute reference for `Coding.system`; its type `uri` is case-sensitive and
/// has no whitespace. RFC 3986 defines an absolute URI: a scheme, a colon, and characters listed in
/// its section 2. At least one character must follow the colon here.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CodeSystem(String);

/// Why a text is not a code system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeSystemError {
    /// It is empty or too long.
    #[error(transparent)]
    Text(#[from] TextError),
    /// It is not an absolute URI.
    #[error("must be an absolute URI, such as http://snomed.info/sct")]
    NotAbsoluteUri,
}

impl CodeSystem {
    /// Maximum number of characters.
    pub const MAX_CHARS: usize = 200;

    /// The URI.
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

/// Whether this is a URI scheme (RFC 3986, section 3.1).
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// Whether a URI may contain this character: reserved, unreserved or `%` (RFC 3986, section 2).
fn is_in_uris(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(character)
}

impl fmt::Display for CodeSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
