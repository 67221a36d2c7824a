//! Settings that several programs share. Each comes from a flag or the environment variable
//! named beside it in `--help`.

use std::time::Duration;

use clap::{Args, ValueEnum};

/// Where Postgres is.
#[derive(Debug, Clone, Args)]
pub struct DatabaseArgs {
    /// The Postgres to use: postgres://user:password@host:port/database
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        default_value = "postgres://orders:orders@localhost:5432/orders",
        value_name = "URL"
    )]
    pub database_url: String,

    /// Connections this program may hold at the most
    #[arg(long, env = "DATABASE_MAX_CONNECTIONS", default_value_t = 10, value_name = "N",
          value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub database_max_connections: u32,
}

/// Where Kafka and the schema registry are.
#[derive(Debug, Clone, Args)]
pub struct KafkaArgs {
    /// The brokers to ask for the cluster: host:port, several with commas
    #[arg(
        long,
        env = "KAFKA_BOOTSTRAP_SERVERS",
        default_value = "localhost:19092,localhost:19093,localhost:19094",
        value_name = "HOST:PORT,…"
    )]
    pub kafka_bootstrap_servers: String,

    /// The schema registry to use (Confluent's API)
    #[arg(
        long,
        env = "SCHEMA_REGISTRY_URL",
        default_value = "http://localhost:8081",
        value_name = "URL"
    )]
    pub schema_registry_url: String,

    /// The topic that carries every event of every order
    #[arg(long, env = "KAFKA_TOPIC", default_value = "order-created-topic", value_name = "NAME")]
    pub kafka_topic: String,

    /// Milliseconds a broker may hold a fetch back while it has no new records
    #[arg(long, env = "KAFKA_FETCH_WAIT_MS", default_value_t = 100, value_name = "MS")]
    pub kafka_fetch_wait_ms: u32,
}

/// What is logged, and how.
#[derive(Debug, Clone, Args)]
pub struct TelemetryArgs {
    /// What to log: a level, or target=level pairs with commas
    #[arg(long, env = "RUST_LOG", default_value = "info", value_name = "FILTER")]
    pub rust_log: String,

    /// How to log
    #[arg(long, env = "LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,
}

/// How to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Reads a setting given in seconds.
///
/// # Errors
/// When it is not a positive number.
pub fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 1e9 => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("must be a positive number of seconds".to_owned()),
    }
}
