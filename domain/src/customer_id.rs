use std::fmt;
use std::str::FromStr;

/// The id of a customer: 1 to 64 of the characters `A-Z a-z 0-9 . _ -`.
///
/// The system that knows the customers chooses it. It must not be a name or an address, because events
/// contain it and are never changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerId(String);

/// The error for a text that is not the id of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to 64 of the characters A-Z, a-z, 0-9, `.`, `_` and `-`")]
pub struct CustomerIdError;

impl CustomerId {
    /// Maximum number of characters.
    pub const MAX_CHARS: usize = 64;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CustomerId {
    type Err = CustomerIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if (1..=Self::MAX_CHARS).contains(&text.len()) && text.chars().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(CustomerIdError)
        }
    }
}

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
