//! Settings that several programs share. Each comes from a flag or the environment variable
//! named beside it in `--help`.

mod database;
mod http;
mod kafka;
mod secret;

use std::time::Duration;

use clap::{Args, ValueEnum};

pub use self::database::DatabaseArgs;
pub use self::http::{HttpArgs, MAX_CONNECTIONS, MAX_IN_FLIGHT};
pub use self::kafka::{KafkaArgs, KafkaSecurityArgs, RegistryArgs, TOPIC};
pub use self::secret::{Secret, secret};

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

/// A setting that was given; an empty variable counts as none.
#[must_use]
pub fn given(setting: Option<&String>) -> Option<&str> {
    setting.map(String::as_str).filter(|text| !text.is_empty())
}
