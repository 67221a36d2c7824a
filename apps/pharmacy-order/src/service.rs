use adapter_avro::encode_pharmacy_event;
use adapter_kafka::KafkaPublisher;
use adapter_pharmacy::{self as pharmacy, PgPharmacyOrders};
use adapter_postgres::Database;
use application::pharmacy::ReceiveOrders;
use consumer::{ConsumerService, REPUBLISH_ORDERING, Subscription};
use relay::{Relay, outbox_routes};
use runtime::{StartError, clock};
use tokio_util::sync::CancellationToken;

use crate::{Config, api, housekeeping};

/// Consumes the events of orders, publishes the events of the pharmacy and serves the API until
/// `shutdown` is cancelled. Then it finishes the work in progress and returns.
///
/// # Errors
/// When the settings are wrong, the address is in use, or the migrations fail. A service that is down
/// is not an error: the program waits for it.
pub async fn run(config: Config, shutdown: CancellationToken) -> Result<(), StartError> {
    let keep = housekeeping::retention(&config);
    let Config { consumer, pharmacy_topic, http_addr, kafka_group, relay, .. } = config;
    let subscription = Subscription {
        topic: &consumer.kafka.kafka_topic,
        group: kafka_group,
        schemas: adapter_avro::ORDERING,
        republish: REPUBLISH_ORDERING,
    };
    let service =
        ConsumerService::new(&consumer, &pharmacy::TABLES, http_addr, subscription).await?;
    let database = service.database.clone();

    let cluster = service.cluster().with_topic(&pharmacy_topic.kafka_pharmacy_topic);
    let (registry, schemas) = (service.registry.clone(), adapter_avro::pharmacy());
    let publisher = KafkaPublisher::new(&cluster, registry, "/pharmacy", schemas)
        .map_err(|error| StartError::other("cannot use Kafka", error))?;
    let relay = Relay::new(&cluster, publisher, &database, &pharmacy::OUTBOX, &relay)?;

    let inbox = inbox(&database);
    let how = service.consume_again(inbox.clone());
    let dead_letters = "`pharmacy-order outbox dead-letters`";
    let routes = api::routes(&database, service.tables.clone(), how).merge(outbox_routes(
        &database,
        service.tables.clone(),
        dead_letters,
    ));
    let checks = relay.checks();
    let work = async {
        tokio::join!(housekeeping::run(&database, keep, &shutdown), relay.run(&shutdown));
    };
    service.run(routes, checks, inbox, work, shutdown.clone()).await
}

/// Where the events of orders are applied.
pub(crate) fn inbox(database: &Database) -> ReceiveOrders<PgPharmacyOrders> {
    let orders = PgPharmacyOrders::new(database, encode_pharmacy_event);
    ReceiveOrders { orders, now: clock::now }
}
