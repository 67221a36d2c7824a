use clap::Args;

/// How many requests are worked on at the same time, if nobody says otherwise: ten for each of the
/// ten connections to the database. That keeps the connections busy, and nobody waits longer than
/// for ten others.
pub const MAX_IN_FLIGHT: u32 = 100;

/// How many connections a server has at the most, if nobody says otherwise. At worst each has a
/// head of 32 KiB and a body of 64 KiB, so that all take 48 MiB; and they fit into the 1,024 open
/// files that many systems allow.
pub const MAX_CONNECTIONS: u32 = 512;

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
