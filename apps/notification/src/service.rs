use std::sync::Arc;

use adapter_http::{bind, serve, site};
use adapter_kafka::{Cluster, ConsumerConfig, ConsumerHealth, EventDecoder, Registry, consume};
use adapter_notification::{self as notification, PgNotifications};
use adapter_postgres::{Database, MigrationGate};
use application::notification::NotifyCustomer;
use runtime::StartError;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::dead_letters::consume_again;
use crate::log_channel::CHANNELS;
use crate::{Config, LogChannel, WakingInbox, api, deliver, housekeeping};

/// Records a notification for each event, sends the notifications and serves the API, until `shutdown` is
/// cancelled. Then it finishes the work in progress and returns.
///
/// # Errors
/// When the settings are wrong, the address is in use, or the migrations fail. A service that is down
/// is not an error: the program waits for it.
pub async fn run(config: Config, shutdown: CancellationToken) -> Result<(), StartError> {
    let cluster = Cluster::new(&config.kafka)?;
    let registry = Registry::new(&config.kafka, adapter_avro::SCHEMAS)?;
    let database = Database::new(&config.database, "notification")?;
    let listener = bind(config.http_addr, "HTTP_ADDR").await?;
    let listener = listener.max_connections(config.http.http_max_connections);

    let tables = MigrationGate::default();
    let notifications = PgNotifications::new(&database);
    let consumer =
        ConsumerConfig { cluster, group: config.kafka_group, health: ConsumerHealth::default() };
    // The service is ready when its tables are up to date and it has joined its consumer group.
    let checks = vec![tables.check(&database), consumer.health.check()];
    let wakeup = Arc::new(Notify::new());
    let inbox =
        NotifyCustomer { notifications: notifications.clone(), channels: CHANNELS.to_vec() };
    let inbox = WakingInbox { inbox, wakeup: Arc::clone(&wakeup) };
    let decoder = EventDecoder::new(registry);
    let how = consume_again(decoder.clone(), inbox.clone());
    let routes = api::routes(&database, tables.clone(), how);
    let site = site(routes, checks, config.http.http_max_in_flight)?;

    let work = async {
        let prepare = tables.prepare(|| notification::migrate(&database));
        let Some(prepared) = shutdown.run_until_cancelled(prepare).await else {
            return Ok(());
        };
        prepared?;
        let receive = async {
            consume(consumer, decoder, &inbox, shutdown.clone())
                .await
                .map_err(|error| StartError::other("cannot receive events", error))
        };
        let deliver = async {
            deliver(&notifications, &LogChannel, &wakeup, &shutdown).await;
            Ok(())
        };
        let housekeeping = async {
            housekeeping::run(&database, &config.retention, &shutdown).await;
            Ok(())
        };
        tokio::try_join!(receive, deliver, housekeeping).map(|((), (), ())| ())
    };
    tokio::try_join!(serve(listener, site, shutdown.clone()), work)?;
    database.close().await;
    Ok(())
}
