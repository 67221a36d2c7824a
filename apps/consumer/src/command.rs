use std::io::stdout;
use std::process::ExitCode;

use adapter_kafka::{EventDecoder, Registry};
use adapter_postgres::dead_letters::PgDeadLetters;
use adapter_postgres::{ContextTables, Database, migrate_command};
use application::dead_letters::{ConsumeAgain, DeadLetterNumber, Retry};
use application::event_format::EventSchemas;
use application::inbox::Inbox;
use application::published::RawRecord;
use runtime::StartError;
use runtime::config::{DatabaseArgs, KafkaArgs};
use runtime::dead_letters::{self, DeadLettersCommand};

use crate::{Command, ConsumerArgs};

/// Executes a command for operators. `inbox` applies the events of dead letters that are retried, and
/// `schemas` are those of the events. The exit code is a failure if part of the command was not done.
///
/// # Errors
/// When a setting is wrong, or the database or the registry cannot be used.
pub async fn run_command<P: Send + Sync, I: Inbox<P>>(
    command: Command,
    args: &ConsumerArgs,
    tables: &'static ContextTables,
    schemas: EventSchemas<P>,
    inbox: impl FnOnce(&Database) -> I,
) -> Result<ExitCode, StartError> {
    on_database(tables, &args.database, async |database| match command {
        Command::Migrate { dry_run } => {
            migrate_command(database, dry_run, &mut stdout()).await.map(|()| true)
        }
        Command::DeadLetters(command) => {
            let inbox = inbox(database);
            Box::pin(dead_letters_command(command, database, &args.kafka, schemas, inbox)).await
        }
    })
    .await
}

/// Executes a command on the database of a context, which returns whether all of it was done. The exit
/// code is a failure if not.
///
/// # Errors
/// When a setting is wrong, or the command fails.
pub async fn on_database(
    tables: &'static ContextTables,
    args: &DatabaseArgs,
    command: impl AsyncFnOnce(&Database) -> Result<bool, StartError>,
) -> Result<ExitCode, StartError> {
    let database = Database::new(tables, args, &format!("{} command", tables.program))?;
    let done = command(&database).await;
    database.close().await;
    Ok(if done? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Lists, retries or discards dead letters, as [`run_command`] does. Returns whether all of it was
/// done.
///
/// The tables are checked and not migrated, so that listing dead letters changes nothing.
///
/// # Errors
/// When a setting is wrong, or the database or the registry cannot be used.
pub async fn dead_letters_command<P: Send + Sync, I: Inbox<P>>(
    command: DeadLettersCommand<DeadLetterNumber>,
    database: &Database,
    kafka: &KafkaArgs,
    schemas: EventSchemas<P>,
    inbox: I,
) -> Result<bool, StartError> {
    database.check_tables().await?;
    let registry = Registry::new(kafka)
        .map_err(|error| StartError::other("cannot use the schema registry", error))?;
    let letters = PgDeadLetters::new(database);
    let how = consume_again(EventDecoder::new(registry, schemas), inbox);
    dead_letters::run(command, &letters, &how, &mut stdout())
        .await
        .map_err(|error| StartError::other("the command failed", error))
}

/// Retries a record in the same way as it is consumed.
pub(crate) fn consume_again<P: Send + Sync, I: Inbox<P>>(
    decoder: EventDecoder<P>,
    inbox: I,
) -> impl Retry<PgDeadLetters> + use<P, I> {
    let decode = move |record: RawRecord| {
        let decoder = decoder.clone();
        async move { decoder.decode(&record).await }
    };
    ConsumeAgain { decode, inbox }
}
