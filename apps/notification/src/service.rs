use std::time::Duration;

use adapter_notification::{self as notification, PgNotifications};
use adapter_webhook::HttpWebhookSender;
use application::notification::{EmailChannel, RecordNotices, WebhookChannel};
use consumer::{ConsumerService, REPUBLISH_ORDERING, Subscription};
use runtime::StartError;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::api::{self, Outgoing};
use crate::{Config, Limits, LogChannel, WakingInbox, delivery_metrics, housekeeping, run_worker};

/// Log lines are written at once, and nobody waits for them. Many in one claim make each cheaper.
const LOG: Limits = Limits {
    at_once: 200,
    per_destination: 200,
    leased: 200,
    leased_per_destination: 200,
    rest: Duration::from_millis(100),
};

/// The rest of the workers that send letters and calls.
const REST: Duration = Duration::from_millis(20);

/// Letters and calls: at most 32 at the same time in all, and 2 for one receiver. A letter that is leased is
/// sent at once: none waits while its customer is erased.
const LETTERS: Limits =
    Limits { at_once: 16, per_destination: 2, leased: 16, leased_per_destination: 2, rest: REST };

/// The next calls of a webhook that is quick are leased while others are in progress, so that it need not wait
/// for the database: 6 calls wait at most 0.3 s for 2 that take 0.1 s.
const CALLS: Limits =
    Limits { at_once: 16, per_destination: 2, leased: 64, leased_per_destination: 8, rest: REST };

/// Records whom to tell of each event, tells them and serves the API, until `shutdown` is cancelled.
/// Then it finishes the work in progress and returns.
///
/// # Errors
/// When the settings are wrong, the address is in use, or the migrations fail. A service that is down
/// is not an error: the program waits for it.
pub async fn run(config: Config, shutdown: CancellationToken) -> Result<(), StartError> {
    let Config { consumer, http_addr, kafka_group, mail, webhooks, retention } = config;
    let mailer = mail.mailer()?.map(EmailChannel);
    let (policy, secrets) = (webhooks.policy()?, webhooks.secrets()?);
    let sender = HttpWebhookSender::new(policy.clone(), secrets.clone())
        .map_err(|error| StartError::other("cannot call webhooks", error))?;
    let subscription = Subscription {
        topic: &consumer.kafka.kafka_topic,
        group: kafka_group,
        schemas: adapter_avro::ORDERING,
        republish: REPUBLISH_ORDERING,
    };
    let service =
        ConsumerService::new(&consumer, &notification::TABLES, http_addr, subscription).await?;
    let notifications = PgNotifications::new(&service.database);
    let wakeup = watch::Sender::new(());
    let inbox = RecordNotices { notifications: notifications.clone(), letters: mailer.is_some() };
    let inbox = WakingInbox { inbox, wakeup: wakeup.clone() };
    let how = service.consume_again(inbox.clone());
    let outgoing = Outgoing { policy, secrets, sender: sender.clone(), wakeup: wakeup.clone() };
    let routes = api::routes(&service.database, service.tables.clone(), outgoing, how);
    let database = service.database.clone();
    let calls = WebhookChannel(sender);
    // Boxed so that callers' futures stay small: they are moved several times.
    let work = Box::pin(async {
        let woken = || wakeup.subscribe();
        let letters = async {
            if let Some(mailer) = &mailer {
                run_worker(&notifications, mailer, LETTERS, woken(), &shutdown).await;
                mailer.0.close().await;
            }
        };
        tokio::join!(
            run_worker(&notifications, &LogChannel, LOG, woken(), &shutdown),
            letters,
            run_worker(&notifications, &calls, CALLS, woken(), &shutdown),
            delivery_metrics::watch_backlog(&notifications, &shutdown),
            housekeeping::run(&database, &retention, &shutdown),
        );
    });
    Box::pin(service.run(routes, Vec::new(), inbox, work, shutdown.clone())).await
}
