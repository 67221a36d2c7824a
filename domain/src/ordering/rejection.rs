use std::fmt;
use std::str::FromStr;

use crate::REDACTED_TEXT;
use crate::text::text_value;

/// Why the pharmacy does not dispense an order, as ordering knows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rejection {
    /// The kind of the reason.
    pub code: RejectionCode,
    /// The reason in words.
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

/// The error for a text that is not a rejection code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be `out_of_stock`, `invalid_prescription`, `contraindication`, `duplicate` or `other`"
)]
pub struct RejectionCodeError;

text_value! {
    /// The reason for a rejection in words: 1 to 500 characters after trimming.
    RejectionText, 500, readable, stored
}

impl RejectionText {
    /// What replaces the text after the data of the customer were erased.
    #[must_use]
    pub fn redacted() -> Self {
        Self(REDACTED_TEXT.to_owned())
    }
}

impl RejectionCode {
    /// All codes.
    pub const ALL: [Self; 5] = [
        Self::OutOfStock,
        Self::InvalidPrescription,
        Self::Contraindication,
        Self::Duplicate,
        Self::Other,
    ];

    /// The code as a text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OutOfStock => "out_of_stock",
            Self::InvalidPrescription => "invalid_prescription",
            Self::Contraindication => "contraindication",
            Self::Duplicate => "duplicate",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for RejectionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RejectionCode {
    type Err = RejectionCodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|code| code.as_str() == text).ok_or(RejectionCodeError)
    }
}
