//! The texts of an order.

use crate::REDACTED_TEXT;
use crate::text::text_value;

text_value! {
    /// Who placed the order: 1 to 200 characters after trimming.
    CustomerName, 200, readable, stored
}

text_value! {
    /// The customer's note about the order: 1 to 1000 characters after trimming, any number of lines.
    ///
    /// Like FHIR R4's `MedicationRequest.note`, it is free text for people. Lines end with `\n`.
    OrderNote, 1000, readable_lines, stored_lines
}

text_value! {
    /// The readable name of a code: 1 to 200 characters after trimming.
    ///
    /// This is FHIR R4's `Coding.display`. FHIR also says that a `string` should have no control
    /// characters.
    CodeDisplay, 200, readable, stored
}

text_value! {
    /// Why an order was cancelled: 1 to 500 characters after trimming.
    CancelReason, 500, readable, stored
}

impl CustomerName {
    /// What replaces the name after the data of the customer were erased.
    #[must_use]
    pub fn redacted() -> Self {
        Self(REDACTED_TEXT.to_owned())
    }
}

impl CancelReason {
    /// What replaces the reason after the data of the customer were erased.
    #[must_use]
    pub fn redacted() -> Self {
        Self(REDACTED_TEXT.to_owned())
    }

    /// The reason if the pharmacy has cancelled an order although nobody asked for it.
    #[must_use]
    pub fn of_the_pharmacy() -> Self {
        Self("cancelled by the pharmacy".to_owned())
    }
}
