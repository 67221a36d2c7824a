use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use adapters::avro::release::{self, Report};
use adapters::kafka::subjects::{self, Finding, Scope, SubjectError, Subjects};
use adapters::{StartError, one_line};

use crate::cli::{RegistryArg, SchemasCommand, WorldArgs};

/// Runs a command about the schemas; says what it found.
///
/// A registry is asked only where the command says so: that `SCHEMA_REGISTRY_URL` is set is no
/// reason for a check of the folder to need one.
pub(crate) async fn run(
    command: &SchemasCommand,
    world: &WorldArgs,
) -> Result<ExitCode, StartError> {
    match command {
        SchemasCommand::Check { schemas, registry } => {
            let Some(report) = check_folder(&schemas.folder) else {
                return Ok(ExitCode::FAILURE);
            };
            match registry {
                None => Ok(ExitCode::SUCCESS),
                Some(registry) => {
                    check_registry(&report, &world.kafka_topic, &open(registry, world)?).await
                }
            }
        }
        SchemasCommand::Register { schemas, registry, subjects_only } => {
            let Some(report) = check_folder(&schemas.folder) else {
                return Ok(ExitCode::FAILURE);
            };
            let scope = if *subjects_only { Scope::Subjects } else { Scope::Registry };
            register(&report, &world.kafka_topic, &open(registry, world)?, scope).await
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
    let findings = subjects::check(registry, report, topic).await.map_err(no_answer)?;
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
        subjects::register(registry, report, topic, scope).await.map_err(no_answer)?;
    for registration in registrations {
        println!("{registration}");
    }
    Ok(conclude(&findings))
}

fn open(registry: &RegistryArg, world: &WorldArgs) -> Result<Subjects, StartError> {
    let url = match registry {
        RegistryArg::At(url) => Some(url),
        RegistryArg::OfTheServices => world.schema_registry_url.as_ref(),
    };
    let Some(url) = url else {
        return Err(StartError::Setting {
            variable: "SCHEMA_REGISTRY_URL",
            reason: "it is not set; name the registry with it, or with --registry URL".to_owned(),
        });
    };
    Subjects::new(url, &world.registry).map_err(no_answer)
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
