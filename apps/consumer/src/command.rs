use std::io::stdout;
use std::process::ExitCode;

use adapter_kafka::{EventDecoder, Registry};
use adapter_postgres::dead_letters::PgDeadLetters;
use adapter_postgres::{ContextTables, Database, migrate_command};
use application::dead_letters::{ConsumeAgain, DeadLetterNumber, Retry};
use application::inbox::Inbox;
use application::published::RawRecord;
use runtime::StartError;
use runtime::config::KafkaArgs;
use runtime::dead_letters::{self, DeadLettersCommand};

use crate::{Command, ConsumerArgs};

/// Executes a command for operators. `inbox` applies the events of dead letters that are retried. The
/// exit code is a failure if part of the command was not done.
///
/// # Errors
/// When a setting is wrong, or the database or the registry cannot be used.
pub async fn run_command<I: Inbox>(
    command: Command,
    args: &ConsumerArgs,
    tables: &'static ContextTables,
    inbox: impl FnOnce(&Database) -> I,
) -> Result<ExitCode, StartError> {
    let name = format!("{} command", tables.program);
    let database = Database::new(tables, &args.database, &name)?;
    let done = match command {
        Command::Migrate { dry_run } => {
            migrate_command(&database, dry_run, &mut stdout()).await.map(|()| true)
        }
        Command::DeadLetters(command) => {
            let inbox = inbox(&database);
            Box::pin(dead_letters_command(command, &database, &args.kafka, inbox)).await
        }
    };
    database.close().await;
    Ok(if done? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The tables are checked and not migrated, so that listing dead letters changes nothing.
async fn dead_letters_command<I: Inbox>(
    command: DeadLettersCommand<DeadLetterNumber>,
    database: &Database,
    kafka: &KafkaArgs,
    inbox: I,
) -> Result<bool, StartError> {
    database
        .check_tables()
        .await
        .map_err(|error| StartError::other("cannot use the database", error))?;
    let registry = Registry::new(kafka, adapter_avro::SCHEMAS)
        .map_err(|error| StartError::other("cannot use the schema registry", error))?;
    let letters = PgDeadLetters::new(database);
    let how = consume_again(EventDecoder::new(registry), inbox);
    dead_letters::run(command, &letters, &how, &mut stdout())
        .await
        .map_err(|error| StartError::other("the command failed", error))
}

/// Retries a record in the same way as it is consumed.
pub(crate) fn consume_again<I: Inbox>(
    decoder: EventDecoder,
    inbox: I,
) -> impl Retry<PgDeadLetters> + use<I> {
    let decode = move |record: RawRecord| {
        let decoder = decoder.clone();
        async move { decoder.decode(&record).await }
    };
    ConsumeAgain { decode, inbox }
}
