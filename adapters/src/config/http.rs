use clap::Args;

use crate::http::{MAX_CONNECTIONS, MAX_IN_FLIGHT};

/// What an HTTP server takes upon itself.
#[derive(Debug, Clone, Args)]
pub struct HttpArgs {
    /// Connections that may be open; for those above it, unfinished and idle ones are closed
    #[arg(long, env = "HTTP_MAX_CONNECTIONS", default_value_t = MAX_CONNECTIONS, value_name = "N",
          value_parser = clap::value_parser!(u32).range(8..=1_000_000))]
    pub http_max_connections: u32,

    /// Requests to the API that are worked on at the same time; those above it are answered with
    /// 503 at once
    #[arg(long, env = "HTTP_MAX_IN_FLIGHT", default_value_t = MAX_IN_FLIGHT, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub http_max_in_flight: u32,
}

impl Default for HttpArgs {
    fn default() -> Self {
        Self { http_max_connections: MAX_CONNECTIONS, http_max_in_flight: MAX_IN_FLIGHT }
    }
}
