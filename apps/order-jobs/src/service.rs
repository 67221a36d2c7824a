use std::future::ready;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use adapter_http::{bind, serve, site};
use adapter_kafka::{Cluster, KafkaPublisher, Registry, RegistryError};
use adapter_ordering::{self as ordering};
use adapter_outbox::{PgBacklog, PgOutbox, Wakeups};
use adapter_postgres::{Database, MigrationGate};
use application::relay::MeasureBacklog;
use runtime::Check;
use runtime::{Outage, StartError, one_line};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::guard::OutboxGuard;
use crate::halt::Halt;
use crate::relay::{RelayOutages, Worker};
use crate::topic_watch::{TopicWarnings, TopicWatch};
use crate::{Config, api, housekeeping};

/// How often to check, during an outage of Kafka, whether it has ended.
const OUTAGE_CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// How long to wait before checking again whether the topic exists, or the registry answers.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Relays until `shutdown` is cancelled. Then it finishes the batches it has begun and returns.
///
/// # Errors
/// When the settings are wrong, the address is in use, or the migrations fail. A service that is down
/// is not an error: the program waits for it.
pub async fn run(config: Config, shutdown: CancellationToken) -> Result<(), StartError> {
    let cluster = Cluster::new(&config.kafka)?;
    let registry = Registry::new(&config.kafka, adapter_avro::SCHEMAS)?;
    let database = Database::new(&ordering::TABLES, &config.database, "order-jobs")?;
    let publisher = KafkaPublisher::new(&cluster, registry, "/ordering")
        .map_err(|error| StartError::other("cannot use Kafka", error))?;
    let listener = bind(config.http_addr, "HTTP_ADDR").await?;
    let listener = listener.max_connections(config.http.http_max_connections);

    let tables = MigrationGate::default();
    // Nothing can be published before the topic was found, so Kafka counts as not reached until then.
    let outages =
        RelayOutages { kafka: Outage::initially_on("Kafka"), outbox: Outage::of("the outbox") };
    let registry = Outage::initially_on("the schema registry");
    let halt = Halt::default();
    let warnings = TopicWarnings::default();
    let warned = warnings.clone();
    let site = site(
        api::routes(&database, tables.clone()),
        vec![
            tables.check(&database),
            check("kafka", &outages.kafka).with_warning(move || warned.text()),
            check("registry", &registry),
            check("outbox", &outages.outbox),
            halt.check(),
        ],
        config.http.http_max_in_flight,
    )?;

    let work = async {
        let prepare = tables.prepare(&database);
        let Some(prepared) = shutdown.run_until_cancelled(prepare).await else {
            return Ok(());
        };
        prepared?;
        let housekeeping = housekeeping::run(&database, &config.relay, &shutdown);
        let topic = TopicWatch::new(&cluster, &database, &config.relay, &halt, warnings)?;
        let relay = async {
            let prepared = async {
                tokio::join!(
                    prepare_schemas(&publisher, &registry),
                    prepare_topic(&topic, &outages.kafka),
                );
            };
            if shutdown.run_until_cancelled(prepared).await.is_some() {
                relay(&config, &database, publisher, &topic, &outages, &halt, &shutdown).await;
            }
        };
        // Boxed so that callers' futures stay small.
        tokio::join!(housekeeping, Box::pin(relay));
        Ok(())
    };
    tokio::try_join!(serve(listener, site, shutdown.clone()), work)?;
    database.close().await;
    Ok(())
}

/// Waits until the registry has given ids to the schemas of the events, or refuses to.
///
/// If it refuses a schema, the events of the other types can be published.
async fn prepare_schemas(publisher: &KafkaPublisher, registry: &Outage) {
    while let Err(error) = publisher.register_schemas().await {
        if let RegistryError::Refused { .. } = error {
            tracing::warn!("{}", one_line(&error));
            break;
        }
        registry.report_failure(&one_line(&error));
        tokio::time::sleep(RETRY_PAUSE).await;
    }
    registry.report_success();
}

/// Waits until the topic exists and has been checked.
async fn prepare_topic(topic: &TopicWatch, kafka: &Outage) {
    while let Err(error) = topic.prepare().await {
        kafka.report_failure(&error);
        tokio::time::sleep(RETRY_PAUSE).await;
    }
    kafka.report_success();
}

/// Waits for the first check of the outbox, then runs the workers.
async fn relay(
    config: &Config,
    database: &Database,
    publisher: KafkaPublisher,
    topic: &TopicWatch,
    outages: &RelayOutages,
    halt: &Halt,
    shutdown: &CancellationToken,
) {
    let guard = OutboxGuard::new(database, &config.relay, halt, &outages.outbox);
    if shutdown.run_until_cancelled(Box::pin(guard.first_check())).await.is_none() {
        return;
    }
    let publisher = Arc::new(publisher);
    let outbox = PgOutbox::new(database, config.relay.relay_workers);
    let wakeups = Wakeups::listen(database);
    let mut workers = JoinSet::new();
    for _ in 0..config.relay.relay_workers {
        let worker = Worker {
            outbox: outbox.clone(),
            publisher: publisher.clone(),
            batch: config.relay.relay_batch as usize,
            wakeups: wakeups.clone(),
            poll: config.relay.relay_poll,
            outages: outages.clone(),
            halt: halt.clone(),
        };
        workers.spawn(worker.run(shutdown.clone()));
    }
    let working = async {
        while let Some(ended) = workers.join_next().await {
            // Ends the program: without its workers, it would run and do nothing.
            if let Err(panicked) = ended {
                resume_unwind(panicked.into_panic());
            }
        }
    };
    tokio::select! {
        () = working => {}
        () = end_kafka_outage(&outages.kafka, database, topic) => {}
        () = guard.keep_checking() => {}
        () = topic.watch(config.relay.relay_check) => {}
    }
    outbox.close().await;
}

/// Ends an outage of Kafka or the registry if nothing is left to publish.
///
/// Other relays may have published everything; the workers here then do not notice that the outage is
/// over. If only the registry is still down, the next event begins an outage again.
async fn end_kafka_outage(outage: &Outage, database: &Database, topic: &TopicWatch) {
    loop {
        tokio::time::sleep(OUTAGE_CHECK_INTERVAL).await;
        if outage.is_on()
            && PgBacklog::new(database).measure().await.is_ok_and(|backlog| backlog.is_published())
            && topic.is_there().await
        {
            outage.report_success();
        }
    }
}

/// The readiness check for a service that the relay needs.
fn check(name: &'static str, outage: &Outage) -> Check {
    let outage = outage.clone();
    Check::new(name, move || {
        ready(if outage.is_on() { Err(format!("{name} cannot be reached")) } else { Ok(()) })
    })
}
