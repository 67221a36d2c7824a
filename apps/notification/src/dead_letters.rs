use std::process::ExitCode;

use adapter_kafka::{EventDecoder, Registry};
use adapter_notification::{self as notification, PgNotifications};
use adapter_postgres::Database;
use adapter_postgres::dead_letters::PgDeadLetters;
use application::dead_letters::{ConsumeAgain, DeadLetterNumber, Retry};
use application::inbox::Inbox;
use application::notification::NotifyCustomer;
use application::published::RawRecord;
use runtime::StartError;
use runtime::dead_letters::{self, DeadLettersCommand};

use crate::Config;
use crate::log_channel::CHANNELS;

/// Executes a command about dead letters. The exit code is a failure if part of it was not done.
///
/// The tables are checked and not migrated, so that listing dead letters changes nothing.
pub(crate) async fn run(
    config: Config,
    command: DeadLettersCommand<DeadLetterNumber>,
) -> Result<ExitCode, StartError> {
    let failed = |error| StartError::other("the command failed", error);
    let database = Database::new(&config.database, "notification dead-letters")?;
    notification::check_tables(&database)
        .await
        .map_err(|error| StartError::other("cannot use the database", error))?;
    let registry = Registry::new(&config.kafka, adapter_avro::SCHEMAS)
        .map_err(|error| StartError::other("cannot use the schema registry", error))?;

    let letters = notification::dead_letters(&database);
    // This only records the notifications. A worker of a running instance sends them.
    let inbox = NotifyCustomer {
        notifications: PgNotifications::new(&database),
        channels: CHANNELS.to_vec(),
    };
    let how = consume_again(EventDecoder::new(registry), inbox);
    let done = dead_letters::run(command, &letters, &how, &mut std::io::stdout()).await;
    database.close().await;
    Ok(if done.map_err(failed)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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
