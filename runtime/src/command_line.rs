//! Reads the command line and the environment variables of a program.

use std::env;
use std::error::Error as _;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error, Parser};

use crate::StartError;

/// Parses the settings and the command. Prints the help and ends the program if that was asked for, or
/// if an option does not exist.
///
/// An environment variable that is empty counts as not set.
///
/// # Errors
/// When the value of a setting is wrong. The message names the variable and never quotes a secret.
pub(crate) fn parse<C: Parser>() -> Result<C, StartError> {
    let command = with_given_variables(C::command());
    if let Some(variable) = not_utf8(&command) {
        return Err(StartError::setting(variable, "it is not UTF-8"));
    }
    let matches = command.clone().try_get_matches();
    matches
        .and_then(|mut matches| C::from_arg_matches_mut(&mut matches))
        .map_err(|error| wrong_value(&command, &error).unwrap_or_else(|| error.exit()))
}

/// The command and its subcommands, without the variables that are empty.
fn with_given_variables(command: Command) -> Command {
    command
        .after_help("An environment variable that is empty counts as not set.")
        .mut_args(|arg| {
            let is_empty =
                arg.get_env().and_then(env::var_os).is_some_and(|value| value.is_empty());
            if is_empty { arg.env(Resettable::Reset) } else { arg }
        })
        .mut_subcommands(with_given_variables)
}

fn not_utf8(command: &Command) -> Option<String> {
    let variables = command.get_arguments().filter_map(Arg::get_env);
    let wrong = variables
        .filter(|variable| env::var_os(variable).is_some_and(|value| value.to_str().is_none()))
        .map(|variable| variable.to_string_lossy().into_owned());
    wrong.last().or_else(|| command.get_subcommands().find_map(not_utf8))
}

/// The error for a wrong value, or `None` if this is another error.
fn wrong_value(command: &Command, error: &Error) -> Option<StartError> {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let reason = match (error.kind(), error.get(ContextKind::ValidValue)) {
        (ErrorKind::InvalidValue, Some(ContextValue::Strings(valid))) => {
            format!("it must be one of {}", valid.join(", "))
        }
        (ErrorKind::ValueValidation, _) => error.source()?.to_string(),
        _ => return None,
    };
    Some(StartError::setting(name(command, argument), reason))
}

/// The environment variable of an argument such as `--http-addr <IP:PORT>`, or else its option.
fn name(command: &Command, argument: &str) -> String {
    let option = argument.split_whitespace().next().unwrap_or(argument);
    let long = option.trim_start_matches('-');
    let is_it = |arg: &&Arg| arg.get_long() == Some(long);
    let variable = command.get_arguments().find(is_it).and_then(Arg::get_env);
    variable.map_or_else(|| option.to_owned(), |name| name.to_string_lossy().into_owned())
}
