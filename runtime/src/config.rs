//! Settings that several programs share. Each can be set by a flag or by an environment variable;
//! `--help` shows both.

mod database;
mod http;
mod kafka;
mod secret;

use std::time::Duration;

use clap::{Args, ValueEnum};

pub use self::database::{DatabaseArgs, Migrate};
pub use self::http::{HttpArgs, MAX_CONNECTIONS, MAX_IN_FLIGHT};
pub use self::kafka::{
    KafkaArgs, KafkaSecurityArgs, PHARMACY_TOPIC, PharmacyTopicArgs, RegistryArgs, TOPIC,
};
pub use self::secret::{Secret, secret};

/// Settings of logging.
#[derive(Debug, Clone, Args)]
pub struct TelemetryArgs {
    /// What to log: a level, or target=level pairs separated by commas
    #[arg(long, env = "RUST_LOG", default_value = "info", value_name = "FILTER")]
    pub rust_log: String,

    /// Format of the log
    #[arg(long, env = "LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,
}

/// Format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text lines.
    Text,
    /// One JSON object per line.
    Json,
}

/// Parses a duration in seconds.
///
/// # Errors
/// When the text is not a positive number.
pub fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 1e9 => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("it must be a positive number of seconds".to_owned()),
    }
}

/// The setting, if it is set. An empty environment variable counts as not set.
#[must_use]
pub fn given(setting: Option<&String>) -> Option<&str> {
    setting.map(String::as_str).filter(|text| !text.is_empty())
}
