use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use adapter_kafka::subjects::{SubjectError, Subjects};
use clap::{Args, Subcommand};
use runtime::config::RegistryArgs;
use runtime::{StartError, one_line};

use crate::release::{self, Report};
use crate::{Finding, Scope, Topics};

/// Commands about the schemas.
#[derive(Debug, Clone, Subcommand)]
pub enum SchemasCommand {
    /// Check that no released schema was edited and that every version is compatible with all
    /// earlier versions
    Check {
        /// The schemas.
        #[command(flatten)]
        schemas: SchemasArgs,

        /// Also compare the schemas with the registry at this URL; without a URL, with the registry
        /// that the services use
        #[arg(long, num_args = 0..=1, default_missing_value = "", value_name = "URL")]
        registry: Option<RegistryArg>,
    },
    /// Register every released version, oldest first, and set the compatibility level
    /// `FULL_TRANSITIVE`: every version can read every other. It is safe to run this again
    Register {
        /// The schemas.
        #[command(flatten)]
        schemas: SchemasArgs,

        /// The URL of the registry [default: the one that the services use]
        #[arg(long, default_value = "", hide_default_value = true, value_name = "URL")]
        registry: RegistryArg,

        /// Set the compatibility level only for the subjects of the events, and not for the whole
        /// registry. Use it for a registry that others use too
        #[arg(long)]
        subjects_only: bool,
    },
}

/// The schemas of a command.
#[derive(Debug, Clone, Args)]
pub struct SchemasArgs {
    /// The folder with a subfolder for each event
    #[arg(long, default_value = "schemas", value_name = "FOLDER")]
    pub folder: PathBuf,
}

/// The registry of a command.
#[derive(Debug, Clone)]
pub enum RegistryArg {
    /// The registry that the services use.
    OfTheServices,
    /// The registry at this URL.
    At(String),
}

impl From<String> for RegistryArg {
    /// An empty text means the registry that the services use.
    fn from(url: String) -> Self {
        if url.is_empty() { Self::OfTheServices } else { Self::At(url) }
    }
}

/// The topics and the registry that the services use.
#[derive(Debug, Clone, Copy)]
pub struct Services<'a> {
    /// The topics. The names of subjects begin with their names.
    pub topics: Topics<'a>,
    /// The URL of the registry, if it is set.
    pub registry_url: Option<&'a str>,
    /// Security settings of the registry.
    pub registry: &'a RegistryArgs,
}

/// Executes a command about the schemas and prints the result.
///
/// Uses a registry only if the command asks for one. A check of the folder works without a
/// registry, also if `SCHEMA_REGISTRY_URL` is set.
///
/// # Errors
/// When the registry cannot be used.
pub async fn run(command: &SchemasCommand, services: Services<'_>) -> Result<ExitCode, StartError> {
    match command {
        SchemasCommand::Check { schemas, registry } => {
            let Some(report) = check_folder(&schemas.folder) else {
                return Ok(ExitCode::FAILURE);
            };
            match registry {
                None => Ok(ExitCode::SUCCESS),
                Some(registry) => {
                    check_registry(&report, services.topics, &open(registry, services)?).await
                }
            }
        }
        SchemasCommand::Register { schemas, registry, subjects_only } => {
            let Some(report) = check_folder(&schemas.folder) else {
                return Ok(ExitCode::FAILURE);
            };
            let scope = if *subjects_only { Scope::Subjects } else { Scope::Registry };
            register(&report, services.topics, &open(registry, services)?, scope).await
        }
    }
}

/// Checks the folder. Returns its content, or prints what is wrong.
fn check_folder(folder: &Path) -> Option<Report> {
    match release::check_directory(folder) {
        Ok(report) => {
            for event in &report.events {
                println!("{}: {} compatible version(s)", event.event, event.versions.len());
                if let Some(line) = &event.unreleased {
                    println!("  not released; add this line to released.txt when it is:\n  {line}");
                }
            }
            Some(report)
        }
        Err(violations) => {
            violations.iter().for_each(print_error);
            None
        }
    }
}

async fn check_registry(
    report: &Report,
    topics: Topics<'_>,
    registry: &Subjects,
) -> Result<ExitCode, StartError> {
    let findings = crate::check(registry, report, topics).await.map_err(registry_error)?;
    if findings.is_empty() {
        println!("the registry has the schemas of the folder, and refuses incompatible ones");
    }
    Ok(print_findings(&findings))
}

async fn register(
    report: &Report,
    topics: Topics<'_>,
    registry: &Subjects,
    scope: Scope,
) -> Result<ExitCode, StartError> {
    let (registrations, findings) =
        crate::register(registry, report, topics, scope).await.map_err(registry_error)?;
    for registration in registrations {
        println!("{registration}");
    }
    Ok(print_findings(&findings))
}

fn open(registry: &RegistryArg, services: Services<'_>) -> Result<Subjects, StartError> {
    let url = match registry {
        RegistryArg::At(url) => Some(url.as_str()),
        RegistryArg::OfTheServices => services.registry_url,
    };
    let Some(url) = url else {
        return Err(StartError::setting(
            "SCHEMA_REGISTRY_URL",
            "it is not set; set it to the URL of the registry, or use --registry URL",
        ));
    };
    Subjects::new(url, services.registry).map_err(registry_error)
}

fn registry_error(error: SubjectError) -> StartError {
    StartError::other("cannot use the schema registry", error)
}

fn print_findings(findings: &[Finding]) -> ExitCode {
    findings.iter().for_each(print_error);
    if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn print_error(error: &(impl Error + 'static)) {
    eprintln!("error: {}", one_line(error));
}
