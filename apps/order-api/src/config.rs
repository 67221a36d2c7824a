use std::net::SocketAddr;

use clap::Parser;
use runtime::config::{DatabaseArgs, HttpArgs, TelemetryArgs};

/// Takes orders over HTTP, and shows them
#[derive(Debug, Clone, Parser)]
#[command(name = "order-api", version)]
pub struct Config {
    /// Where Postgres is.
    #[command(flatten)]
    pub database: DatabaseArgs,

    /// What is logged, and how.
    #[command(flatten)]
    pub telemetry: TelemetryArgs,

    /// The address to listen on
    #[arg(long, env = "HTTP_ADDR", default_value = "0.0.0.0:8080", value_name = "IP:PORT")]
    pub http_addr: SocketAddr,

    /// What the HTTP server takes upon itself.
    #[command(flatten)]
    pub http: HttpArgs,
}
