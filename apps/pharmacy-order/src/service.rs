use std::future::ready;

use adapters::StartError;
use adapters::http::{Check, bind, serve, site};
use adapters::kafka::{AnnouncementDecoder, ConsumerConfig, ConsumerHealth, Registry, consume};
use adapters::postgres::pharmacy::{self, PgPharmacyOrders};
use adapters::postgres::{Database, Tables};
use application::pharmacy::ReceiveOrders;
use tokio_util::sync::CancellationToken;

use crate::{Config, api};

/// Shows the pharmacy's orders and takes in events until `shutdown`; then finishes what it has
/// begun and returns.
///
/// # Errors
/// When the settings are wrong, the address is taken, or the database refuses. What is merely down
/// is waited for.
pub async fn run(config: Config, shutdown: CancellationToken) -> Result<(), StartError> {
    let database = Database::new(&config.database, "pharmacy-order")?;
    let registry = Registry::new(&config.kafka)
        .map_err(|error| StartError::other("cannot use the schema registry", error))?;
    let listener = bind(config.http_addr, "HTTP_ADDR").await?;

    let tables = Tables::default();
    let orders = PgPharmacyOrders::new(&database);
    let consumer = ConsumerConfig {
        kafka: config.kafka,
        group: config.kafka_group,
        health: ConsumerHealth::default(),
    };
    let checks = checks(&database, &tables, &consumer.health);
    let site = site(api::routes(orders.clone(), tables.clone()), checks)?;

    let receive = async {
        let prepare = tables.prepare(|| pharmacy::migrate(&database));
        let Some(prepared) = shutdown.run_until_cancelled(prepare).await else {
            return Ok(());
        };
        prepared?;
        let decoder = AnnouncementDecoder::new(registry);
        consume(consumer, decoder, &ReceiveOrders(orders), shutdown.clone())
            .await
            .map_err(|error| StartError::other("cannot receive events", error))
    };
    tokio::try_join!(serve(listener, site, shutdown.clone()), receive)?;
    database.close().await;
    Ok(())
}

/// What the service needs: its tables, and a place in its consumer group.
fn checks(database: &Database, tables: &Tables, consumer: &ConsumerHealth) -> Vec<Check> {
    let (database, tables, consumer) = (database.clone(), tables.clone(), consumer.clone());
    let postgres = move || {
        let (database, tables) = (database.clone(), tables.clone());
        async move { tables.ping(&database).await }
    };
    let kafka = move || {
        let waits = || consumer.problem().unwrap_or_else(|| "not in its group yet".to_owned());
        ready(if consumer.is_ready() { Ok(()) } else { Err(waits()) })
    };
    vec![Check::new("postgres", postgres), Check::new("kafka", kafka)]
}
