use std::process::ExitCode;

use adapters::avro::release;
use adapters::one_line;

use crate::cli::SchemasCommand;

/// Runs a command about the schemas; says what it found.
pub(crate) fn run(command: &SchemasCommand) -> ExitCode {
    let SchemasCommand::Check { folder } = command;
    match release::check_directory(folder) {
        Ok(report) => {
            for event in report.events {
                println!("{}: {} compatible version(s)", event.event, event.versions.len());
                if let Some(line) = event.unreleased {
                    println!("  not released; add this line to released.txt when it is:\n  {line}");
                }
            }
            ExitCode::SUCCESS
        }
        Err(violations) => {
            for violation in violations {
                eprintln!("error: {}", one_line(&violation));
            }
            ExitCode::FAILURE
        }
    }
}
