use clap::Args;

/// Default for the maximum number of concurrent requests: ten for each of the ten connections to
/// the database. That keeps the connections busy, and a request waits for at most ten others.
pub const MAX_IN_FLIGHT: u32 = 100;

/// Default for the maximum number of open connections. In the worst case each has a head of 32 KiB
/// and a body of 64 KiB, which is 48 MiB in total. It fits into 1,024 open files, a common limit.
pub const MAX_CONNECTIONS: u32 = 512;

/// Limits of the HTTP server.
#[derive(Debug, Clone, Args)]
pub struct HttpArgs {
    /// Maximum number of open connections. Above it, unfinished and idle connections are closed to
    /// accept new ones
    #[arg(long, env = "HTTP_MAX_CONNECTIONS", default_value_t = MAX_CONNECTIONS, value_name = "N",
          value_parser = clap::value_parser!(u32).range(8..=1_000_000))]
    pub http_max_connections: u32,

    /// Maximum number of concurrent requests to the API. Requests above it are refused with 503
    #[arg(long, env = "HTTP_MAX_IN_FLIGHT", default_value_t = MAX_IN_FLIGHT, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub http_max_in_flight: u32,
}

impl Default for HttpArgs {
    fn default() -> Self {
        Self { http_max_connections: MAX_CONNECTIONS, http_max_in_flight: MAX_IN_FLIGHT }
    }
}
