use std::sync::Arc;

use adapter_notification::{self as notification, PgNotifications};
use application::notification::NotifyCustomer;
use consumer::ConsumerService;
use runtime::StartError;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::log_channel::CHANNELS;
use crate::{Config, LogChannel, WakingInbox, api, deliver, housekeeping};

/// Records a notification for each event, sends the notifications and serves the API, until `shutdown` is
/// cancelled. Then it finishes the work in progress and returns.
///
/// # Errors
/// When the settings are wrong, the address is in use, or the migrations fail. A service that is down
/// is not an error: the program waits for it.
pub async fn run(config: Config, shutdown: CancellationToken) -> Result<(), StartError> {
    let Config { consumer, http_addr, kafka_group, retention } = config;
    let service =
        ConsumerService::new(&consumer, &notification::TABLES, http_addr, kafka_group).await?;
    let notifications = PgNotifications::new(&service.database);
    let wakeup = Arc::new(Notify::new());
    let inbox =
        NotifyCustomer { notifications: notifications.clone(), channels: CHANNELS.to_vec() };
    let inbox = WakingInbox { inbox, wakeup: Arc::clone(&wakeup) };
    let how = service.consume_again(inbox.clone());
    let routes = api::routes(&service.database, service.tables.clone(), how);
    let database = service.database.clone();
    let work = async {
        tokio::join!(
            deliver(&notifications, &LogChannel, &wakeup, &shutdown),
            housekeeping::run(&database, &retention, &shutdown),
        );
    };
    service.run(routes, inbox, work, shutdown.clone()).await
}
