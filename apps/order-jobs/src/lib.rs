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

use runtime::{StartError, shutdown};

pub use config::{AdoptPromotion, Config, RelayArgs};
pub use service::run;

use config::Cli;

/// The `main` of the program: runs the service until it is asked to stop, or executes a command.
pub fn main() -> ExitCode {
    runtime::main("order-jobs", |cli: &Cli| cli.telemetry.clone(), start)
}

async fn start(Cli { config, command, .. }: Cli) -> Result<ExitCode, StartError> {
    match command {
        None => run(config, shutdown::on_signal()).await.map(|()| ExitCode::SUCCESS),
        Some(command) => command::run(&config, command).await,
    }
}
