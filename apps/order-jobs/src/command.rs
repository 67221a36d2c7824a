use std::process::ExitCode;

use adapter_ordering as ordering;
use adapter_outbox::{Adoption, AdoptionError, PgOutboxDeadLetters, PgReplay};
use adapter_postgres::{Database, migrate_command};
use application::dead_letters::PublishAgain;
use application::relay::Replay;
use domain::EventId;
use runtime::StartError;
use runtime::dead_letters::{self, DeadLettersCommand};

use crate::config::Command;
use crate::{Config, reconcile};

/// Executes a command. The exit code is a failure if part of it was not done.
pub(crate) async fn run(config: &Config, command: Command) -> Result<ExitCode, StartError> {
    let database = Database::new(&ordering::TABLES, &config.database, "order-jobs command")?;
    // Boxed, because the compiler limits how deep futures may be nested.
    let done = Box::pin(execute(config, &database, command)).await;
    database.close().await;
    Ok(if done? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Only the command `migrate` changes tables. The others check that they are up to date.
async fn execute(
    config: &Config,
    database: &Database,
    command: Command,
) -> Result<bool, StartError> {
    if !matches!(command, Command::Migrate { .. }) {
        database
            .check_tables()
            .await
            .map_err(|error| StartError::other("cannot use the database", error))?;
    }
    match command {
        Command::Migrate { dry_run } => {
            Box::pin(migrate_command(database, dry_run, &mut std::io::stdout())).await?;
            Ok(true)
        }
        Command::DeadLetters(command) => dead_letters(database, command).await,
        Command::Reconcile(args) => Box::pin(reconcile::run(config, database, &args)).await,
        Command::Adopt { dry_run, since } => {
            adopt(&Adoption::new(database, ordering::AGGREGATES, since), dry_run)
                .await
                .map(|()| true)
                .map_err(|error| StartError::other("cannot adopt the outbox", error))
        }
        Command::Replay { since } => {
            let positions = PgReplay::new(database).rewind(since).await.map_err(command_failed)?;
            println!("{positions} positions are due again; running relays publish their events");
            Ok(true)
        }
    }
}

async fn dead_letters(
    database: &Database,
    command: DeadLettersCommand<EventId>,
) -> Result<bool, StartError> {
    let letters = PgOutboxDeadLetters::new(database);
    dead_letters::run(command, &letters, &PublishAgain, &mut std::io::stdout())
        .await
        .map_err(command_failed)
}

fn command_failed(error: impl std::error::Error + Send + Sync + 'static) -> StartError {
    StartError::other("the command failed", error)
}

async fn adopt(adoption: &Adoption, dry_run: bool) -> Result<(), AdoptionError> {
    let report = if dry_run { adoption.preview().await? } else { adoption.adopt().await? };
    println!("{report}");
    if report.found_problems() {
        println!(
            "{}\nTo find orders that are in the topic but not in this database, run \
             `order-jobs reconcile`.",
            if dry_run {
                "Nothing was changed. `order-jobs adopt` will give these events new positions, move \
                 the sequences past all positions, and let relays publish."
            } else {
                "These events have new positions, the sequences are past all positions, and \
                 running relays continue within seconds."
            }
        );
    }
    Ok(())
}
