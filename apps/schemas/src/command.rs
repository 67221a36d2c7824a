use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use adapter_kafka::subjects::{SubjectError, Subjects};
use clap::{Args, Subcommand};
use runtime::config::RegistryArgs;
use runtime::{StartError, one_line};

use crate::release::{self, Report};
use crate::{Finding, Scope};

/// What to do with the schemas.
#[derive(Debug, Clone, Subcommand)]
pub enum SchemasCommand {
    /// Check that no released schema was edited and that every version is compatible with all
    /// before it
    Check {
        /// Which schemas.
        #[command(flatten)]
        schemas: SchemasArgs,

        /// Hold the schemas against a registry as well: this one, or without a URL that of the
        /// services
        #[arg(long, num_args = 0..=1, default_missing_value = "", value_name = "URL")]
        registry: Option<RegistryArg>,
    },
    /// Register every released version, oldest first, and let the registry take only versions that
    /// read all others and can be read by them; doing it again changes nothing
    Register {
        /// Which schemas.
        #[command(flatten)]
        schemas: SchemasArgs,

        /// The registry [default: that of the services]
        #[arg(long, default_value = "", hide_default_value = true, value_name = "URL")]
        registry: RegistryArg,

        /// Leave the registry's own level as it is and set that of the events' subjects alone, where
        /// others use the registry too
        #[arg(long)]
        subjects_only: bool,
    },
}

/// Which schemas.
#[derive(Debug, Clone, Args)]
pub struct SchemasArgs {
    /// The folder that holds a folder for each event
    #[arg(long, default_value = "schemas", value_name = "FOLDER")]
    pub folder: PathBuf,
}

/// Which registry a command about schemas asks.
#[derive(Debug, Clone)]
pub enum RegistryArg {
    /// The one that the services are told to use.
    OfTheServices,
    /// The one at this address.
    At(String),
}

impl From<String> for RegistryArg {
    /// Nothing stands for the one of the services.
    fn from(url: String) -> Self {
        if url.is_empty() { Self::OfTheServices } else { Self::At(url) }
    }
}

/// The topic and the registry that the services use.
#[derive(Debug, Clone, Copy)]
pub struct Services<'a> {
    /// The topic, whose name subjects begin with.
    pub topic: &'a str,
    /// Where the registry is, if it is set.
    pub registry_url: Option<&'a str>,
    /// How to log in to the registry.
    pub registry: &'a RegistryArgs,
}

/// Runs a command about the schemas; says what it found.
///
/// A registry is asked only where the command says so: that `SCHEMA_REGISTRY_URL` is set is no
/// reason for a check of the folder to need one.
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
                    check_registry(&report, services.topic, &open(registry, services)?).await
                }
            }
        }
        SchemasCommand::Register { schemas, registry, subjects_only } => {
            let Some(report) = check_folder(&schemas.folder) else {
                return Ok(ExitCode::FAILURE);
            };
            let scope = if *subjects_only { Scope::Subjects } else { Scope::Registry };
            register(&report, services.topic, &open(registry, services)?, scope).await
        }
    }
}

/// What the folder holds, if nothing is wrong with it.
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
            violations.iter().for_each(complain);
            None
        }
    }
}

async fn check_registry(
    report: &Report,
    topic: &str,
    registry: &Subjects,
) -> Result<ExitCode, StartError> {
    let findings = crate::check(registry, report, topic).await.map_err(no_answer)?;
    if findings.is_empty() {
        println!("the registry holds what the folder does, and takes nothing that breaks it");
    }
    Ok(conclude(&findings))
}

async fn register(
    report: &Report,
    topic: &str,
    registry: &Subjects,
    scope: Scope,
) -> Result<ExitCode, StartError> {
    let (registrations, findings) =
        crate::register(registry, report, topic, scope).await.map_err(no_answer)?;
    for registration in registrations {
        println!("{registration}");
    }
    Ok(conclude(&findings))
}

fn open(registry: &RegistryArg, services: Services<'_>) -> Result<Subjects, StartError> {
    let url = match registry {
        RegistryArg::At(url) => Some(url.as_str()),
        RegistryArg::OfTheServices => services.registry_url,
    };
    let Some(url) = url else {
        return Err(StartError::Setting {
            variable: "SCHEMA_REGISTRY_URL",
            reason: "it is not set; name the registry with it, or with --registry URL".to_owned(),
        });
    };
    Subjects::new(url, services.registry).map_err(no_answer)
}

fn no_answer(error: SubjectError) -> StartError {
    StartError::other("cannot use the schema registry", error)
}

fn conclude(findings: &[Finding]) -> ExitCode {
    findings.iter().for_each(complain);
    if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn complain(error: &(impl Error + 'static)) {
    eprintln!("error: {}", one_line(error));
}
