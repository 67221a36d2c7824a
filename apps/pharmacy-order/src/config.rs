use std::net::SocketAddr;

use application::dead_letters::DeadLetterNumber;
use clap::{Args, Parser, Subcommand};
use runtime::config::{DatabaseArgs, HttpArgs, KafkaArgs, TelemetryArgs};
use runtime::dead_letters::DeadLettersCommand;

/// The pharmacy: receives every order and shows it to pharmacists.
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
    /// How to connect to Postgres.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// How to connect to Kafka and the schema registry.
    #[command(flatten)]
    pub kafka: KafkaArgs,
    /// The address to listen on
    #[arg(long, env = "HTTP_ADDR", default_value = "0.0.0.0:8083", value_name = "IP:PORT")]
    pub http_addr: SocketAddr,
    /// The limits of the HTTP server.
    #[command(flatten)]
    pub http: HttpArgs,
    /// The consumer group; instances of one group share the topic's partitions
    #[arg(long, env = "KAFKA_GROUP", default_value = "pharmacy-order-group", value_name = "NAME")]
    pub kafka_group: String,
    /// How long rows are kept.
    #[command(flatten)]
    pub retention: RetentionArgs,
}

/// How long rows are kept.
#[derive(Debug, Clone, Args)]
pub struct RetentionArgs {
    /// Days a dead letter is kept once it was retried or discarded
    #[arg(long, env = "DEAD_LETTERS_RETENTION_DAYS", default_value_t = 30, value_name = "DAYS",
          value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub dead_letters_retention_days: u32,
}

impl Default for RetentionArgs {
    fn default() -> Self {
        Self { dead_letters_retention_days: 30 }
    }
}

/// The commands for operators.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// List, retry or discard records that could not be consumed
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand<DeadLetterNumber>),
}
