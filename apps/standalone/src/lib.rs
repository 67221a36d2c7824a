//! The whole product in one process: the four services, and embedded versions of the services they
//! need.
//!
//! Postgres, Kafka, the schema registry and the mail server are each embedded only if the environment
//! variable that names a running one is not set. The four services are the same libraries as in the separate
//! programs.

mod backing_services;
mod banner;
mod cli;
mod demo;
mod embedded_mail;
mod endpoints;
mod local;
mod ports;
mod system;

use std::process::ExitCode;

use adapter_kafka::tls;
use runtime::{StartError, shutdown};

use crate::cli::{Cli, Command};
use crate::system::System;

/// The `main` of the program: runs the system until it is asked to stop, or executes a command.
pub fn main() -> ! {
    runtime::main("error", Cli::telemetry, start)
}

async fn start(cli: Cli) -> Result<ExitCode, StartError> {
    tls::prepare();
    match cli.command {
        None => {
            let stop = shutdown::on_signal();
            let system = System::start(&cli.system, stop.clone()).await?;
            // Do not claim to be ready if it was stopped during the start.
            if !stop.is_cancelled() {
                banner::print(system.endpoints(), &system.database(), system.home());
            }
            system.run().await?;
            Ok(ExitCode::SUCCESS)
        }
        // Boxed because this future is by far the largest here.
        Some(Command::Demo(demo)) => Box::pin(demo::run(&demo, &cli.system)).await,
        Some(Command::Schemas(command)) => schemas::run(&command, cli.system.services()).await,
    }
}
