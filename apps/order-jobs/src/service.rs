use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use adapters::http::{Check, bind, serve, site};
use adapters::kafka::{Cluster, KafkaPublisher, Registry, topic};
use adapters::postgres::ordering::{self, PgOutbox, Wakeups};
use adapters::postgres::{Database, Tables};
use adapters::{Outage, StartError, one_line};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::relay::Worker;
use crate::{Config, api, upkeep};

/// How long to wait before asking again for a topic that is not there.
const TOPIC_PAUSE: Duration = Duration::from_secs(1);

/// Relays until `shutdown`; then finishes the batches it has begun and returns.
///
/// # Errors
/// When the settings are wrong, the address is taken, or the database refuses. What is merely down
/// is waited for.
pub async fn run(config: Config, shutdown: CancellationToken) -> Result<(), StartError> {
    let cluster = Cluster::new(&config.kafka)?;
    let registry = Registry::new(&config.kafka)?;
    let database = Database::new(&config.database, "order-jobs")?;
    let publisher = KafkaPublisher::new(&cluster, registry)
        .map_err(|error| StartError::other("cannot use Kafka", error))?;
    let listener = bind(config.http_addr, "HTTP_ADDR").await?;

    let tables = Tables::default();
    // Until the topic was seen, nothing can be published.
    let outage = Outage::until_first_reached("Kafka");
    let checks = checks(&database, &tables, &outage);
    let site = site(api::routes(&database, tables.clone()), checks)?;

    let work = async {
        let prepare = tables.prepare(|| ordering::migrate(&database));
        let Some(prepared) = shutdown.run_until_cancelled(prepare).await else {
            return Ok(());
        };
        prepared?;
        let upkeep = upkeep::run(&database, &config.relay, &shutdown);
        let relay = relay(&config, &database, &cluster, Arc::new(publisher), &outage, &shutdown);
        tokio::join!(upkeep, relay);
        Ok(())
    };
    tokio::try_join!(serve(listener, site, shutdown.clone()), work)?;
    database.close().await;
    Ok(())
}

/// Waits for the topic, then keeps the workers at work.
async fn relay(
    config: &Config,
    database: &Database,
    cluster: &Cluster,
    publisher: Arc<KafkaPublisher>,
    outage: &Outage,
    shutdown: &CancellationToken,
) {
    while let Err(error) = topic::ensure(cluster).await {
        outage.begins(&one_line(&error));
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(TOPIC_PAUSE) => {}
        }
    }
    outage.ends();
    let outbox = PgOutbox::new(database, config.relay.relay_workers);
    let wakeups = Wakeups::listen(database);
    let store_outage = Outage::of("the outbox");
    let mut workers = JoinSet::new();
    for _ in 0..config.relay.relay_workers {
        let worker = Worker {
            outbox: outbox.clone(),
            publisher: publisher.clone(),
            batch: config.relay.relay_batch as usize,
            wakeups: wakeups.clone(),
            poll: config.relay.relay_poll,
            outage: outage.clone(),
            store_outage: store_outage.clone(),
        };
        workers.spawn(worker.run(shutdown.clone()));
    }
    while workers.join_next().await.is_some() {}
    outbox.close().await;
}

/// What the relay needs: its tables, and a cluster that takes events.
fn checks(database: &Database, tables: &Tables, outage: &Outage) -> Vec<Check> {
    let outage = outage.clone();
    let kafka = Check::new("kafka", move || {
        ready(if outage.is_on() { Err("Kafka cannot be reached".to_owned()) } else { Ok(()) })
    });
    vec![Check::postgres(database, tables), kafka]
}
