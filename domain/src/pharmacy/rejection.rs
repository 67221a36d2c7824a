use crate::text::text_value;

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

text_value! {
    /// The reason for a rejection in words: 1 to 500 characters after trimming.
    RejectionText, 500, readable, stored
}
