use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::Runtime;

use crate::config::TelemetryArgs;
use crate::{StartError, command_line, one_line, shutdown, telemetry};

/// The `main` of every program: parses the command line, starts logging, runs the program and ends
/// the process.
///
/// An error is printed on standard error as one line that begins with `prefix`. The exit code is 1
/// then.
pub fn main<C, R>(
    prefix: &str,
    telemetry_args: impl FnOnce(&C) -> TelemetryArgs,
    run: impl FnOnce(C) -> R,
) -> !
where
    C: Parser,
    R: Future<Output = Result<ExitCode, StartError>>,
{
    let done = command_line::parse().and_then(|cli| {
        let runtime = start(&telemetry_args(&cli))?;
        runtime.block_on(run(cli))
    });
    let code = done.unwrap_or_else(|error| {
        eprintln!("{prefix}: {}", one_line(&error));
        ExitCode::FAILURE
    });
    shutdown::exit(i32::from(code != ExitCode::SUCCESS))
}

fn start(args: &TelemetryArgs) -> Result<Runtime, StartError> {
    telemetry::start(args)?;
    Runtime::new().map_err(|error| StartError::other("cannot start the async runtime", error))
}
