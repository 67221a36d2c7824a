//! The notification service: notifies customers about their orders, once per event. It has its own
//! consumer group and tables.
//!
//! It starts even if a service that it needs is down. `/readyz` shows what it waits for, and it
//! recovers without a restart.

pub mod api;
mod config;
mod delivery_worker;
mod housekeeping;
mod log_channel;
mod service;

use std::process::ExitCode;

use adapter_notification::{self as notification, PgNotifications};
use application::notification::NotifyCustomer;
use consumer::run_command;
use runtime::{StartError, shutdown};

pub use config::{Config, RetentionArgs};
pub use delivery_worker::{WakingInbox, deliver};
pub use log_channel::LogChannel;
pub use service::run;

use config::Cli;
use log_channel::CHANNELS;

/// The `main` of the program: runs the service until it is stopped, or executes a command.
pub fn main() -> ExitCode {
    runtime::main("notification", |cli: &Cli| cli.telemetry.clone(), start)
}

async fn start(Cli { config, command, .. }: Cli) -> Result<ExitCode, StartError> {
    match command {
        None => run(config, shutdown::on_signal()).await.map(|()| ExitCode::SUCCESS),
        Some(command) => {
            // This only records the notifications. A worker of a running instance sends them.
            let inbox = |database: &_| NotifyCustomer {
                notifications: PgNotifications::new(database),
                channels: CHANNELS.to_vec(),
            };
            run_command(command, &config.consumer, &notification::TABLES, inbox).await
        }
    }
}
