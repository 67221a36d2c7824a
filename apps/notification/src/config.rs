mod mail;
mod webhooks;

use std::net::SocketAddr;

use clap::{Args, Parser, Subcommand};
use consumer::ConsumerArgs;
use runtime::config::TelemetryArgs;

pub use mail::MailArgs;
pub use webhooks::WebhookArgs;

use crate::command::NotificationsCommand;

/// Tells customers and other systems what happens to orders: by e-mail and by webhooks.
///
/// Without a command, it runs until it is stopped.
#[derive(Debug, Parser)]
#[command(name = "notification", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) config: Config,

    #[command(flatten)]
    pub(crate) telemetry: TelemetryArgs,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// All settings.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// The settings that all consumers have.
    #[command(flatten)]
    pub consumer: ConsumerArgs,
    /// The address to listen on
    #[arg(long, env = "HTTP_ADDR", default_value = "0.0.0.0:8084", value_name = "IP:PORT")]
    pub http_addr: SocketAddr,
    /// The consumer group. Instances with the same group share the partitions of the topic
    #[arg(long, env = "KAFKA_GROUP", default_value = "notification-group", value_name = "NAME")]
    pub kafka_group: String,
    /// How to send letters.
    #[command(flatten)]
    pub mail: MailArgs,
    /// How to call webhooks.
    #[command(flatten)]
    pub webhooks: WebhookArgs,
    /// How long rows are kept.
    #[command(flatten)]
    pub retention: RetentionArgs,
}

/// The commands for operators.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// The commands that all consumers have.
    #[command(flatten)]
    Consumer(consumer::Command),
    /// List, show or retry notifications
    #[command(subcommand)]
    Notifications(NotificationsCommand),
}

/// How long rows are kept.
#[derive(Debug, Clone, Args)]
pub struct RetentionArgs {
    /// Days to keep notifications that are not pending. Must be more than
    /// `OUTBOX_RETENTION_DAYS` of order-jobs and more than the retention of the topic
    ///
    /// If a replay publishes an event after its notification was deleted, the customer is notified
    /// again.
    #[arg(long, env = "NOTIFICATIONS_RETENTION_DAYS", default_value_t = 30, value_name = "DAYS",
          value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub notifications_retention_days: u32,

    /// Days to keep the attempts to send notifications
    #[arg(long, env = "ATTEMPTS_RETENTION_DAYS", default_value_t = 30, value_name = "DAYS",
          value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub attempts_retention_days: u32,

    /// Days to keep dead letters after they were retried or discarded
    #[arg(long, env = "DEAD_LETTERS_RETENTION_DAYS", default_value_t = 30, value_name = "DAYS",
          value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub dead_letters_retention_days: u32,
}

impl Default for RetentionArgs {
    fn default() -> Self {
        Self {
            notifications_retention_days: 30,
            attempts_retention_days: 30,
            dead_letters_retention_days: 30,
        }
    }
}
