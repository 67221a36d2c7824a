//! The mail server: letters to customers, sent by SMTP.

mod connection;
mod connections;
mod failure;
mod message;
mod redaction;
mod settings;
mod smtp_mailer;
#[cfg(test)]
mod tests;
mod words;

pub use settings::{FromError, PasswordError, SmtpSettings, SmtpSettingsError, UrlError};
pub use smtp_mailer::SmtpMailer;
