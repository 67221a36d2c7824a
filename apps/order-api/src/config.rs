use std::net::SocketAddr;

use clap::{Args, Parser};
use runtime::config::{DatabaseArgs, HttpArgs, TelemetryArgs};

/// The HTTP API of orders: places, shows and cancels them
#[derive(Debug, Parser)]
#[command(name = "order-api", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) config: Config,

    #[command(flatten)]
    pub(crate) telemetry: TelemetryArgs,
}

/// The settings of order-api.
#[derive(Debug, Clone, Args)]
pub struct Config {
    /// Settings of the connection to Postgres.
    #[command(flatten)]
    pub database: DatabaseArgs,

    /// The address to listen on
    #[arg(long, env = "HTTP_ADDR", default_value = "0.0.0.0:8080", value_name = "IP:PORT")]
    pub http_addr: SocketAddr,

    /// The limits of the HTTP server.
    #[command(flatten)]
    pub http: HttpArgs,
}
