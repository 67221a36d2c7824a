//! An SMTP server for development and tests. It delivers nothing: it keeps the latest mails in memory
//! and shows them on a web page. Tests can make it refuse mails, close connections or hang.

mod behaviour;
mod command;
mod inbox;
mod mail;
mod mailbox;
mod session;
mod shared;
mod sink;
mod wire;

pub use behaviour::{Reaction, Step, failing_at_random};
pub use inbox::inbox_routes;
pub use mail::Mail;
pub use sink::SmtpSink;
