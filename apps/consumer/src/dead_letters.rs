use std::process::ExitCode;

use adapter_kafka::{EventDecoder, Registry};
use adapter_postgres::Database;
use adapter_postgres::dead_letters::PgDeadLetters;
use application::dead_letters::{ConsumeAgain, DeadLetterNumber, Retry};
use application::inbox::Inbox;
use application::published::RawRecord;
use runtime::StartError;
use runtime::config::KafkaArgs;
use runtime::dead_letters::{self, DeadLettersCommand};

/// Executes a command about the dead letters in this database. `inbox` applies the events that are
/// retried. The exit code is a failure if part of the command was not done.
///
/// The tables are checked and not migrated, so that listing dead letters changes nothing.
///
/// # Errors
/// When a setting is wrong, or the database or the registry cannot be used.
pub async fn dead_letters_command<I: Inbox>(
    command: DeadLettersCommand<DeadLetterNumber>,
    database: &Database,
    kafka: &KafkaArgs,
    inbox: I,
) -> Result<ExitCode, StartError> {
    database
        .check_tables()
        .await
        .map_err(|error| StartError::other("cannot use the database", error))?;
    let registry = Registry::new(kafka, adapter_avro::SCHEMAS)
        .map_err(|error| StartError::other("cannot use the schema registry", error))?;
    let letters = PgDeadLetters::new(database);
    let how = consume_again(EventDecoder::new(registry), inbox);
    let done = dead_letters::run(command, &letters, &how, &mut std::io::stdout()).await;
    database.close().await;
    let done = done.map_err(|error| StartError::other("the command failed", error))?;
    Ok(if done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Retries a record in the same way as it is consumed.
pub fn consume_again<I: Inbox>(
    decoder: EventDecoder,
    inbox: I,
) -> impl Retry<PgDeadLetters> + use<I> {
    let decode = move |record: RawRecord| {
        let decoder = decoder.clone();
        async move { decoder.decode(&record).await }
    };
    ConsumeAgain { decode, inbox }
}
