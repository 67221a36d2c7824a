use std::process::ExitCode;

use adapter_ordering as ordering;
use adapter_postgres::{Database, migrate_command};
use consumer::{dead_letters_command, on_database};
use relay::run_outbox_command;
use runtime::StartError;

use crate::config::{Command, InboxCommand};
use crate::service::inbox;
use crate::{Config, erase, reconcile};

/// Executes a command. The exit code is a failure if part of it was not done.
pub(crate) async fn run(config: &Config, command: Command) -> Result<ExitCode, StartError> {
    on_database(&ordering::TABLES, &config.consumer.database, async |database| {
        // Boxed, because the compiler limits how deep futures may be nested.
        Box::pin(execute(config, database, command)).await
    })
    .await
}

/// Only the command `migrate` changes tables. The others check that they are up to date.
async fn execute(
    config: &Config,
    database: &Database,
    command: Command,
) -> Result<bool, StartError> {
    match command {
        Command::Migrate { dry_run } => {
            Box::pin(migrate_command(database, dry_run, &mut std::io::stdout())).await?;
            Ok(true)
        }
        Command::Outbox(command) => run_outbox_command(command, database, &ordering::OUTBOX).await,
        Command::Inbox(InboxCommand::DeadLetters(command)) => {
            let (kafka, schemas) = (&config.consumer.kafka, adapter_avro::PHARMACY);
            Box::pin(dead_letters_command(command, database, kafka, schemas, inbox(database))).await
        }
        Command::Reconcile(args) => {
            database.check_tables().await?;
            Box::pin(reconcile::run(config, database, &args)).await
        }
        Command::Erase { customer } => {
            database.check_tables().await?;
            Box::pin(erase::run(database, &customer)).await
        }
    }
}
