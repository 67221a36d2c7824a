/// The text that replaces the texts of people in an order after the data of its customer were erased.
pub const REDACTED_TEXT: &str = "(erased)";
