use std::net::SocketAddr;

use clap::{Args, Parser};
use consumer::{Command, ConsumerArgs};
use runtime::config::TelemetryArgs;

/// The pharmacy: keeps a read model of all orders and shows it to pharmacists.
///
/// Without a command, it runs until it is stopped.
#[derive(Debug, Parser)]
#[command(name = "pharmacy-order", version)]
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
    #[arg(long, env = "HTTP_ADDR", default_value = "0.0.0.0:8083", value_name = "IP:PORT")]
    pub http_addr: SocketAddr,
    /// The consumer group. Instances with the same group share the partitions of the topic
    #[arg(long, env = "KAFKA_GROUP", default_value = "pharmacy-order-group", value_name = "NAME")]
    pub kafka_group: String,
    /// How long rows are kept.
    #[command(flatten)]
    pub retention: RetentionArgs,
}

/// How long rows are kept.
#[derive(Debug, Clone, Args)]
pub struct RetentionArgs {
    /// Days to keep dead letters after they were retried or discarded
    #[arg(long, env = "DEAD_LETTERS_RETENTION_DAYS", default_value_t = 30, value_name = "DAYS",
          value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub dead_letters_retention_days: u32,
}

impl Default for RetentionArgs {
    fn default() -> Self {
        Self { dead_letters_retention_days: 30 }
    }
}
