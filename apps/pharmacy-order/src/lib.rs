//! The pharmacy service: receives every order and shows it to pharmacists. It has its own consumer
//! group and tables.
//!
//! It starts even if a service that it needs is down. `/readyz` shows what it waits for, and it
//! recovers without a restart.

pub mod api;
mod config;
mod housekeeping;
mod service;

use std::process::ExitCode;

use adapter_pharmacy::{self as pharmacy, PgPharmacyOrders};
use application::pharmacy::ReceiveOrders;
use consumer::run_command;
use runtime::{StartError, shutdown};

pub use config::{Config, RetentionArgs};
pub use service::run;

use config::Cli;

/// The `main` of the program: runs the service until it is stopped, or executes a command.
pub fn main() -> ExitCode {
    runtime::main("pharmacy-order", |cli: &Cli| cli.telemetry.clone(), start)
}

async fn start(Cli { config, command, .. }: Cli) -> Result<ExitCode, StartError> {
    match command {
        None => run(config, shutdown::on_signal()).await.map(|()| ExitCode::SUCCESS),
        Some(command) => {
            let inbox = |database: &_| ReceiveOrders(PgPharmacyOrders::new(database));
            run_command(command, &config.consumer, &pharmacy::TABLES, inbox).await
        }
    }
}
