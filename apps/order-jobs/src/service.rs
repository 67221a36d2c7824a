use adapter_avro::encode_event;
use adapter_kafka::KafkaPublisher;
use adapter_ordering::{self as ordering, PgOrders};
use adapter_postgres::Database;
use adapter_postgres::dead_letters::PgDeadLetters;
use application::ordering::ReceiveReports;
use consumer::{ConsumerService, REPUBLISH_PHARMACY, Subscription};
use relay::Relay;
use runtime::{StartError, clock};
use tokio_util::sync::CancellationToken;

use crate::{Config, api, housekeeping};

/// Publishes the events of orders and lets orders follow the pharmacy, until `shutdown` is cancelled.
/// Then it finishes the batches it has begun and returns.
///
/// # Errors
/// When the settings are wrong, the address is in use, or the migrations fail. A service that is down
/// is not an error: the program waits for it.
pub async fn run(config: Config, shutdown: CancellationToken) -> Result<(), StartError> {
    let subscription = Subscription {
        topic: &config.pharmacy_topic.kafka_pharmacy_topic,
        group: config.kafka_group.clone(),
        schemas: adapter_avro::PHARMACY,
        republish: REPUBLISH_PHARMACY,
    };
    let (args, tables) = (&config.consumer, &ordering::TABLES);
    let service = ConsumerService::new(args, tables, config.http_addr, subscription).await?;
    let database = service.database.clone();

    let cluster = service.cluster().with_topic(&args.kafka.kafka_topic);
    let (registry, schemas) = (service.registry.clone(), adapter_avro::ordering());
    let publisher = KafkaPublisher::new(&cluster, registry, "/ordering", schemas)
        .map_err(|error| StartError::other("cannot use Kafka", error))?;
    let relay = Relay::new(&cluster, publisher, &database, &ordering::OUTBOX, &config.relay)?;

    let routes = api::routes(&database, service.tables.clone());
    let checks = relay.checks();
    let work = async {
        tokio::join!(housekeeping::run(&database, &config, &shutdown), relay.run(&shutdown));
    };
    service.run(routes, checks, inbox(&database), work, shutdown.clone()).await
}

/// Where the events of the pharmacy are applied.
pub(crate) fn inbox(database: &Database) -> ReceiveReports<PgOrders, PgDeadLetters> {
    ReceiveReports {
        orders: PgOrders::new(database, encode_event),
        dead_letters: PgDeadLetters::new(database),
        event_stamp: clock::event_stamp,
    }
}
