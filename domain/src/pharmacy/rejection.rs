use std::fmt;
use std::str::FromStr;

use crate::TextError;
use crate::text::{readable, stored};

/// Why the pharmacy does not dispense an order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rejection {
    /// The kind of the reason.
    pub code: RejectionCode,
    /// The reason in words, for the customer.
    pub text: RejectionText,
}

/// The kinds of reasons for a rejection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RejectionCode {
    /// A product is not in stock.
    OutOfStock,
    /// There is no valid prescription for a product.
    InvalidPrescription,
    /// A product could harm this customer.
    Contraindication,
    /// The customer has ordered the same things before.
    Duplicate,
    /// Another reason, which the text tells.
    Other,
}

/// The reason for a rejection in words: 1 to 500 characters after trimming. [`TextError`] lists what
/// is refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RejectionText(String);

impl RejectionText {
    /// Maximum number of characters.
    pub const MAX_CHARS: usize = 500;

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

impl FromStr for RejectionText {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        readable(text, Self::MAX_CHARS).map(Self)
    }
}

impl fmt::Display for RejectionText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
