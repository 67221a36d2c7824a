//! Notification: whom customers' letters go to, and which letters there are.

mod email_address;
mod language;
mod letter_kind;
mod preferences;
mod webhook_description;

pub use email_address::{EmailAddress, EmailAddressError};
pub use language::{Language, LanguageError};
pub use letter_kind::LetterKind;
pub use preferences::{MandatoryLetter, Preferences};
pub use webhook_description::WebhookDescription;
