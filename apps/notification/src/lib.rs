//! The notification service: tells customers and other systems what happens to orders. It has its own
//! consumer group and tables.
//!
//! It starts even if a service that it needs is down. `/readyz` shows what it waits for, and it
//! recovers without a restart.

pub mod api;
mod command;
mod config;
mod delivery_metrics;
mod delivery_worker;
mod housekeeping;
mod log_channel;
mod service;
mod waking_inbox;

use std::process::ExitCode;

use adapter_notification::{self as notification, PgNotifications};
use application::notification::RecordNotices;
use consumer::{on_database, run_command};
use runtime::{StartError, shutdown};

pub use config::{Config, MailArgs, RetentionArgs, WebhookArgs};
pub use delivery_worker::{Limits, run_worker};
pub use log_channel::LogChannel;
pub use service::run;
pub use waking_inbox::WakingInbox;

use config::{Cli, Command};

/// The `main` of the program: runs the service until it is stopped, or executes a command.
pub fn main() -> ! {
    runtime::main("notification", |cli: &Cli| cli.telemetry.clone(), start)
}

async fn start(Cli { config, command, .. }: Cli) -> Result<ExitCode, StartError> {
    match command {
        // Boxed because this future is large.
        None => Box::pin(run(config, shutdown::on_signal())).await.map(|()| ExitCode::SUCCESS),
        Some(Command::Consumer(command)) => {
            // This only records the notifications. A worker of a running instance sends them.
            let letters = config.mail.is_on();
            let inbox = |database: &_| RecordNotices {
                notifications: PgNotifications::new(database),
                letters,
            };
            let (tables, schemas) = (&notification::TABLES, adapter_avro::ORDERING);
            run_command(command, &config.consumer, tables, schemas, inbox).await
        }
        Some(Command::Notifications(command)) => {
            on_database(&notification::TABLES, &config.consumer.database, async |database| {
                command::run(command, database).await
            })
            .await
        }
    }
}
