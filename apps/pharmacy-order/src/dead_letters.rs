use std::process::ExitCode;

use adapter_kafka::{EventDecoder, Registry};
use adapter_postgres::Database;
use adapter_postgres::dead_letters::DeadLettersCommand;
use adapter_postgres::pharmacy::{self, PgPharmacyOrders};
use application::pharmacy::ReceiveOrders;
use runtime::StartError;

use crate::Config;

/// Carries out what an operator wants done about dead letters; fails if some of it was not done.
pub(crate) async fn run(
    config: Config,
    command: DeadLettersCommand,
) -> Result<ExitCode, StartError> {
    let failed = |error| StartError::other("the command was not carried out", error);
    let database = Database::new(&config.database, "pharmacy-order dead-letters")?;
    pharmacy::migrate(&database)
        .await
        .map_err(|error| StartError::other("cannot use the database", error))?;
    let registry = Registry::new(&config.kafka, adapter_avro::SCHEMAS)
        .map_err(|error| StartError::other("cannot use the schema registry", error))?;
    let decoder = EventDecoder::new(registry);

    let letters = pharmacy::dead_letters(&database);
    let inbox = ReceiveOrders(PgPharmacyOrders::new(&database));
    let decode = |record| {
        let decoder = decoder.clone();
        async move { decoder.decode(&record).await }
    };
    let done = command.run(&letters, &inbox, decode, &mut std::io::stdout()).await;
    database.close().await;
    Ok(if done.map_err(failed)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
