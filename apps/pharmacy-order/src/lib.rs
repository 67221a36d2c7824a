//! The pharmacy: takes in every order, in a consumer group and tables of its own, and shows them
//! to pharmacists.
//!
//! It starts whatever is down, says at `/readyz` what it waits for, and goes on by itself once
//! that is back.

pub mod api;
mod config;
mod dead_letters;
mod service;
mod upkeep;

use std::process::ExitCode;

use runtime::{StartError, shutdown};

pub use config::{Config, RetentionArgs};
pub use service::run;

use config::{Cli, Command};

/// The `main` of the program: runs the service until it is asked to stop, or executes a command.
pub fn main() -> ExitCode {
    runtime::main("pharmacy-order", |cli: &Cli| cli.telemetry.clone(), start)
}

async fn start(Cli { config, command, .. }: Cli) -> Result<ExitCode, StartError> {
    match command {
        None => run(config, shutdown::on_signal()).await.map(|()| ExitCode::SUCCESS),
        Some(Command::DeadLetters(command)) => dead_letters::run(config, command).await,
    }
}
