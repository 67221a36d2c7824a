//! order-jobs: runs the relay of ordering, which publishes its outbox to Kafka, and housekeeping for
//! the tables of ordering.

pub mod api;
mod command;
mod config;
mod erase;
mod housekeeping;
mod reconcile;
mod service;

use std::process::ExitCode;

use runtime::{StartError, shutdown};

pub use config::{Config, RetentionArgs};
pub use service::run;

use config::Cli;

/// The `main` of the program: runs the service until it is stopped, or executes a command.
pub fn main() -> ! {
    runtime::main("order-jobs", |cli: &Cli| cli.telemetry.clone(), start)
}

async fn start(Cli { config, command, .. }: Cli) -> Result<ExitCode, StartError> {
    match command {
        // Boxed because this future is large.
        None => Box::pin(run(config, shutdown::on_signal())).await.map(|()| ExitCode::SUCCESS),
        Some(command) => command::run(&config, command).await,
    }
}
