use std::net::SocketAddr;

use adapters::config::{DatabaseArgs, HttpArgs, KafkaArgs, TelemetryArgs};
use adapters::postgres::dead_letters::DeadLettersCommand;
use clap::{Args, Parser, Subcommand};

/// Tells customers what happened to their orders, once.
///
/// Without a command it runs until it is told to stop.
#[derive(Debug, Parser)]
#[command(name = "notification", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) config: Config,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Everything that can be set.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// Where Postgres is.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Where Kafka and the schema registry are.
    #[command(flatten)]
    pub kafka: KafkaArgs,
    /// What is logged.
    #[command(flatten)]
    pub telemetry: TelemetryArgs,
    /// The address to listen on
    #[arg(long, env = "HTTP_ADDR", default_value = "0.0.0.0:8084", value_name = "IP:PORT")]
    pub http_addr: SocketAddr,
    /// What the HTTP server takes upon itself.
    #[command(flatten)]
    pub http: HttpArgs,
    /// The consumer group; instances of one group share the topic's partitions
    #[arg(long, env = "KAFKA_GROUP", default_value = "notification-group", value_name = "NAME")]
    pub kafka_group: String,
}

/// What an operator can do.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// Look after records that could not be taken in
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand),
}
