//! What the programs that consume events share: [`ConsumerService`] runs one, and [`run_command`]
//! executes its commands for operators.

mod args;
mod command;
mod service;

pub use args::{Command, ConsumerArgs};
pub use command::{dead_letters_command, on_database, run_command};
pub use service::{ConsumerService, REPUBLISH_ORDERING, REPUBLISH_PHARMACY, Subscription};
