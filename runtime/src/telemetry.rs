//! Logging.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::StartError;
use crate::config::{LogFormat, TelemetryArgs};

/// Starts logging to standard error. Must be called once, before anything is logged.
///
/// # Errors
/// When the filter is not valid.
pub fn start(args: &TelemetryArgs) -> Result<(), StartError> {
    let filter = EnvFilter::try_new(&args.rust_log).map_err(|error| {
        StartError::setting(
            "RUST_LOG",
            format!("{error}; write a level such as info, or target=level"),
        )
    })?;
    let builder = fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Colours only in a terminal, not in files.
        .with_ansi(std::io::stderr().is_terminal());
    let started = match args.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    started.map_err(|error| StartError::other("cannot start logging", error))
}
