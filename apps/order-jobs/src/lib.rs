//! order-jobs: the relay between the outbox and Kafka, and the outbox's upkeep.
//!
//! Any number of instances share the work: each claims lanes of the outbox that no other holds. An
//! outage of Kafka, the registry or Postgres is waited out; nothing is lost by it.

pub mod api;
mod command;
mod config;
mod guard;
mod halt;
mod readers_watch;
mod reconcile;
mod relay;
mod service;
mod topic_watch;
mod upkeep;

use std::process::ExitCode;

use clap::Parser;
use runtime::{StartError, one_line, shutdown, telemetry};

pub use config::{AdoptPromotion, Config, RelayArgs};
pub use service::run;

use config::Cli;

/// The program: reads its settings, then runs until it is told to stop or carries a command out.
pub async fn main() -> ExitCode {
    match start(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("order-jobs: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

async fn start(Cli { config, command }: Cli) -> Result<ExitCode, StartError> {
    telemetry::start(&config.telemetry)?;
    match command {
        None => run(config, shutdown::on_signal()).await.map(|()| ExitCode::SUCCESS),
        Some(command) => command::run(&config, command).await,
    }
}
