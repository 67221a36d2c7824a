//! order-jobs: the relay, which publishes the outbox to Kafka, and housekeeping for the outbox.
//!
//! Any number of instances share the work: each one claims lanes that no other instance has claimed.
//! During an outage of Kafka, the registry or Postgres, the relay waits. No event is lost.

pub mod api;
mod command;
mod config;
mod guard;
mod halt;
mod housekeeping;
mod readers_watch;
mod reconcile;
mod relay;
mod service;
mod topic_watch;

use std::process::ExitCode;

use runtime::{StartError, shutdown};

pub use config::{AdoptPromotion, Config, RelayArgs};
pub use service::run;

use config::Cli;

/// The `main` of the program: runs the service until it is stopped, or executes a command.
pub fn main() -> ExitCode {
    runtime::main("order-jobs", |cli: &Cli| cli.telemetry.clone(), start)
}

async fn start(Cli { config, command, .. }: Cli) -> Result<ExitCode, StartError> {
    match command {
        None => run(config, shutdown::on_signal()).await.map(|()| ExitCode::SUCCESS),
        Some(command) => command::run(&config, command).await,
    }
}
