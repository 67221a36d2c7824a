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
use adapter_postgres::Database;
use application::pharmacy::ReceiveOrders;
use consumer::{Command, ConsumerArgs, dead_letters_command};
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
        Some(Command::DeadLetters(command)) => {
            let ConsumerArgs { database, kafka, .. } = &config.consumer;
            let database =
                Database::new(&pharmacy::TABLES, database, "pharmacy-order dead-letters")?;
            let inbox = ReceiveOrders(PgPharmacyOrders::new(&database));
            dead_letters_command(command, &database, kafka, inbox).await
        }
    }
}
