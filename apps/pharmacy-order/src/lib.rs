//! The pharmacy service: receives every order, lets pharmacists work on it, and publishes what they do
//! to its own topic. It has its own consumer group and tables.
//!
//! It starts even if a service that it needs is down. `/readyz` shows what it waits for, and it
//! recovers without a restart.

pub mod api;
mod config;
mod housekeeping;
mod recover;
mod service;

use std::process::ExitCode;

use adapter_pharmacy as pharmacy;
use consumer::{on_database, run_command};
use relay::run_outbox_command;
use runtime::{StartError, shutdown};

pub use config::{Config, RetentionArgs};
pub use service::run;

use config::{Cli, Command};
use service::inbox;

/// The `main` of the program: runs the service until it is stopped, or executes a command.
pub fn main() -> ! {
    runtime::main("pharmacy-order", |cli: &Cli| cli.telemetry.clone(), start)
}

async fn start(Cli { config, command, .. }: Cli) -> Result<ExitCode, StartError> {
    match command {
        // Boxed because this future is large.
        None => Box::pin(run(config, shutdown::on_signal())).await.map(|()| ExitCode::SUCCESS),
        Some(Command::Consumer(command)) => {
            let (tables, schemas) = (&pharmacy::TABLES, adapter_avro::ORDERING);
            run_command(command, &config.consumer, tables, schemas, inbox).await
        }
        Some(Command::Outbox(command)) => {
            on_database(&pharmacy::TABLES, &config.consumer.database, async |database| {
                run_outbox_command(command, database, &pharmacy::OUTBOX).await
            })
            .await
        }
        Some(Command::Recover) => {
            on_database(&pharmacy::TABLES, &config.consumer.database, async |database| {
                recover::run(&config, database).await.map(|()| true)
            })
            .await
        }
    }
}
