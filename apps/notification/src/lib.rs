//! Notification: tells customers what happened to their orders, each event once, in a consumer
//! group and tables of its own.
//!
//! It starts whatever is down, says at `/readyz` what it waits for, and goes on by itself once
//! that is back.

pub mod api;
mod config;
mod dead_letters;
mod delivery;
mod log_channel;
mod service;
mod upkeep;

use std::process::ExitCode;

use clap::Parser;
use runtime::{StartError, one_line, shutdown, telemetry};

pub use config::{Config, RetentionArgs};
pub use delivery::{Waking, deliver};
pub use log_channel::LogChannel;
pub use service::run;

use config::{Cli, Command};

/// The program: reads its settings, then runs until it is told to stop or carries a command out.
pub async fn main() -> ExitCode {
    match start(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("notification: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

async fn start(Cli { config, command }: Cli) -> Result<ExitCode, StartError> {
    telemetry::start(&config.telemetry)?;
    match command {
        None => run(config, shutdown::on_signal()).await.map(|()| ExitCode::SUCCESS),
        Some(Command::DeadLetters(command)) => dead_letters::run(config, command).await,
    }
}
