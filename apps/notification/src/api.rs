//! The HTTP API: contacts of customers, webhooks, and the notifications for customer service and
//! operators.

mod contact_json;
mod customers;
mod notification_json;
mod notifications;
mod webhook_json;
mod webhooks;

use adapter_http::dead_letter_routes;
use adapter_notification::PgNotifications;
use adapter_postgres::dead_letters::PgDeadLetters;
use adapter_postgres::{Database, MigrationGate};
use adapter_webhook::{HttpWebhookSender, Policy, SealedSecrets};
use application::dead_letters::Retry;
use tokio::sync::watch;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What the routes need to call webhooks and to wake the workers.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Where webhooks may be.
    pub policy: Policy,
    /// The secrets of webhooks.
    pub secrets: SealedSecrets,
    /// Calls webhooks.
    pub sender: HttpWebhookSender,
    /// Wakes the workers.
    pub wakeup: watch::Sender<()>,
}

/// The state of the routes.
#[derive(Debug, Clone)]
struct Api {
    notifications: PgNotifications,
    tables: MigrationGate,
    outgoing: Outgoing,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Notification",
        description = "Tells customers and other systems what happens to orders, by e-mail and by webhooks.",
    ),
    tags(
        (name = "notifications", description = "What was sent to whom"),
        (name = "customers", description = "Contacts of customers"),
        (name = "webhooks", description = "Other systems that are called for events, as \
            [Standard Webhooks](https://www.standardwebhooks.com) describes it"),
        (name = "operations", description = "For operators of the service"),
    ),
)]
struct Document;

/// The routes of the API with their OpenAPI document. `how` retries a dead letter.
pub fn routes(
    database: &Database,
    tables: MigrationGate,
    outgoing: Outgoing,
    how: impl Retry<PgDeadLetters> + 'static,
) -> OpenApiRouter {
    let notifications = PgNotifications::new(database);
    let letters = PgDeadLetters::new(database);
    let ready = {
        let tables = tables.clone();
        move || tables.ready()
    };
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(notifications::list_notifications))
        .routes(routes!(notifications::get_notification))
        .routes(routes!(notifications::retry_notification))
        .routes(routes!(notifications::retry_notifications))
        .routes(routes!(customers::get_contact, customers::put_contact, customers::erase_customer))
        .routes(routes!(webhooks::list_webhooks, webhooks::create_webhook))
        .routes(routes!(webhooks::get_webhook, webhooks::change_webhook, webhooks::delete_webhook))
        .routes(routes!(webhooks::rotate_secret))
        .routes(routes!(webhooks::enable_webhook))
        .routes(routes!(webhooks::ping_webhook))
        .routes(routes!(webhooks::list_deliveries))
        .with_state(Api { notifications, tables, outgoing })
        .merge(dead_letter_routes(letters, how, ready))
}
