//! What the programs that consume events share: [`ConsumerService`] runs one, and
//! [`dead_letters_command`] is its command for operators.

mod args;
mod dead_letters;
mod service;

pub use args::{Command, ConsumerArgs};
pub use dead_letters::{consume_again, dead_letters_command};
pub use service::ConsumerService;
