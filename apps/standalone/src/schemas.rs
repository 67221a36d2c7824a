use std::process::ExitCode;

use adapters::avro::release;

use crate::cli::SchemasCommand;

/// Runs a command about the schemas; says what it found.
pub(crate) fn run(command: &SchemasCommand) -> ExitCode {
    let SchemasCommand::Check { folder } = command;
    match release::check_directory(folder) {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(violations) => {
            for violation in violations {
                eprintln!("error: {violation}");
            }
            ExitCode::FAILURE
        }
    }
}
