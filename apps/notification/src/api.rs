//! The HTTP API, for customer service and operators.

mod notification_json;

use adapter_http::{
    BadRequest, FieldError, Problem, QueryParameters, Unavailable, dead_letter_routes,
};
use adapter_notification::PgNotifications;
use adapter_postgres::dead_letters::PgDeadLetters;
use adapter_postgres::{Database, MigrationGate};
use application::dead_letters::Retry;
use application::notification::NotificationViews;
use axum::Json;
use axum::extract::State;
use domain::OrderId;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use notification_json::NotificationJson;

/// The state of the routes.
#[derive(Debug, Clone)]
struct Api {
    notifications: PgNotifications,
    tables: MigrationGate,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Notification",
        description = "Shows the notifications about orders, and whether they were sent.",
    ),
    tags(
        (name = "notifications", description = "Notifications about orders"),
        (name = "operations", description = "For operators of the service"),
    ),
)]
struct Document;

/// The routes of the API with their OpenAPI document. `how` retries a dead letter.
pub fn routes(
    database: &Database,
    tables: MigrationGate,
    how: impl Retry<PgDeadLetters> + 'static,
) -> OpenApiRouter {
    let notifications = PgNotifications::new(database);
    let letters = PgDeadLetters::new(database);
    let ready = {
        let tables = tables.clone();
        move || tables.ready()
    };
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(list_notifications))
        .with_state(Api { notifications, tables })
        .merge(dead_letter_routes(letters, how, ready))
}

/// The notifications about one order.
#[derive(Debug, Serialize, ToSchema)]
struct NotificationList {
    /// The notifications, oldest first
    items: Vec<NotificationJson>,
}

/// List the notifications about an order
#[utoipa::path(
    get,
    path = "/api/notifications",
    tag = "notifications",
    params(("orderId" = Uuid, Query, description = "The id of the order")),
    responses(
        (status = 200, description = "The notifications about the order; an empty list if there are none",
         body = NotificationList),
        BadRequest,
        Unavailable,
    ),
)]
async fn list_notifications(
    State(api): State<Api>,
    mut query: QueryParameters,
) -> Result<Json<NotificationList>, Problem> {
    let order_id: Option<OrderId> = query.take("orderId");
    query.finish()?;
    let Some(order_id) = order_id else {
        let missing = FieldError::parameter("orderId", "must be given");
        return Err(Problem::invalid_parameters(vec![missing]));
    };

    api.tables.ready()?;
    let notifications = api.notifications.of_order(order_id).await?;
    let items = notifications.into_iter().map(NotificationJson::from).collect();
    Ok(Json(NotificationList { items }))
}
