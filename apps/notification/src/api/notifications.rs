//! The notifications, for customer service and operators.

use adapter_http::{
    BadRequest, BodyErrors, BodyTimeout, CrossSite, JsonBody, Malformed, NotFound, PathParameter,
    Problem, ProblemType, QueryParameters, TooLarge, Unavailable, Unprocessable,
    UnsupportedMediaType,
};
use application::notification::{
    Notification, NotificationFilter, NotificationId, NotificationViews, Notifications, StateName,
};
use application::paging::PageLimit;
use axum::Json;
use axum::extract::State;
use domain::CustomerId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Api;
use super::notification_json::{
    DetailsJson, NotificationJson, NotificationPageJson, PageQuery, StateJson,
};

/// How many notifications one request makes due again.
const RETRY_LIMIT: usize = 1000;

/// List notifications, oldest first
#[utoipa::path(
    get,
    path = "/api/notifications",
    tag = "notifications",
    params(
        ("orderId" = Option<Uuid>, Query, description = "Only notifications about this order"),
        ("state" = Option<StateJson>, Query, description = "Only notifications in this state"),
        ("channel" = Option<String>, Query, pattern = "^(log|email|webhook)$",
         description = "Only notifications on this channel: `log`, `email` or `webhook`"),
        ("destination" = Option<String>, Query, pattern = "^[A-Za-z0-9._-]{1,64}$",
         description = "Only notifications for this customer or webhook"),
        ("cursor" = Option<String>, Query, pattern = "^(0|-?[1-9][0-9]{0,17})$",
         description = "The `nextCursor` of the previous page"),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 100,
         description = "Maximum number of notifications on the page; default 20"),
    ),
    responses(
        (status = 200, description = "A page of notifications", body = NotificationPageJson),
        BadRequest,
        Unavailable,
    ),
)]
pub(super) async fn list_notifications(
    State(api): State<Api>,
    mut query: QueryParameters,
) -> Result<Json<NotificationPageJson>, Problem> {
    let mut page = PageQuery::take(&mut query);
    page.filter.order_id = query.take("orderId");
    page.filter.channel = query.take("channel");
    page.filter.destination = query.take("destination").map(|id: CustomerId| id.to_string());
    query.finish()?;
    api.page(&page).await
}

/// Get a notification and the attempts to send it
#[utoipa::path(
    get,
    path = "/api/notifications/{id}",
    tag = "notifications",
    params(("id" = i64, Path, minimum = 1, maximum = 9_007_199_254_740_991_i64, description = "The number of the notification")),
    responses(
        (status = 200, description = "The notification", body = DetailsJson),
        BadRequest,
        NotFound,
        Unavailable,
    ),
)]
pub(super) async fn get_notification(
    State(api): State<Api>,
    PathParameter(id): PathParameter<NotificationId>,
) -> Result<Json<DetailsJson>, Problem> {
    api.tables.ready()?;
    let notification = api.notification(id).await?;
    let attempts = api.notifications.attempts(id).await?;
    Ok(Json(DetailsJson::new(notification, attempts)))
}

/// Send a notification again
///
/// It must have failed or been suppressed. It becomes `pending` with no attempts, and is sent at once.
#[utoipa::path(
    post,
    path = "/api/notifications/{id}/retry",
    tag = "operations",
    params(("id" = i64, Path, minimum = 1, maximum = 9_007_199_254_740_991_i64, description = "The number of the notification")),
    responses(
        (status = 200, description = "The notification, now pending", body = NotificationJson),
        BadRequest,
        CrossSite,
        NotFound,
        adapter_http::IllegalTransition,
        Unavailable,
    ),
)]
pub(super) async fn retry_notification(
    State(api): State<Api>,
    PathParameter(id): PathParameter<NotificationId>,
) -> Result<Json<NotificationJson>, Problem> {
    api.tables.ready()?;
    let filter = NotificationFilter { id: Some(id), ..NotificationFilter::default() };
    let retried = api.retry(&filter).await?;
    let notification = api.notification(id).await?;
    if retried == 0 {
        let state = notification.state.name();
        let detail =
            format!("the notification is {state}; only failed or suppressed ones can be retried");
        return Err(Problem::new(ProblemType::IllegalTransition, detail));
    }
    Ok(Json(notification.into()))
}

/// Which notifications to send again
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = RetryNotifications, example = json!({"channel": "email", "state": "failed"}))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RetryBody {
    /// Only those about this order
    order_id: Option<Uuid>,
    /// Only those in this state: `failed` or `suppressed`
    #[schema(pattern = "^(failed|suppressed)$")]
    state: Option<String>,
    /// Only those on this channel: `log`, `email` or `webhook`
    #[schema(pattern = "^(log|email|webhook)$")]
    channel: Option<String>,
    /// Only those for this customer or webhook
    #[schema(pattern = "^[A-Za-z0-9._-]{1,64}$")]
    destination: Option<String>,
}

/// How many notifications are sent again
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RetryReport, example = json!({"retried": 12, "more": false}))]
pub(super) struct RetryReport {
    /// How many became pending
    #[schema(minimum = 0, maximum = 1000)]
    retried: u64,
    /// Whether there may be others: repeat the request
    more: bool,
}

/// Send notifications again
///
/// Makes failed and suppressed notifications `pending` again, at most 1000 in one request, oldest first.
/// Without a filter, all of them.
#[utoipa::path(
    post,
    path = "/api/notifications/retry",
    tag = "operations",
    request_body = RetryBody,
    responses(
        (status = 200, description = "How many", body = RetryReport),
        Malformed,
        CrossSite,
        BodyTimeout,
        TooLarge,
        UnsupportedMediaType,
        Unprocessable,
        Unavailable,
    ),
)]
pub(super) async fn retry_notifications(
    State(api): State<Api>,
    JsonBody(body): JsonBody<RetryBody>,
) -> Result<Json<RetryReport>, Problem> {
    let filter = body.filter()?;
    api.tables.ready()?;
    let retried = api.retry(&filter).await?;
    Ok(Json(RetryReport { retried: retried as u64, more: retried == RETRY_LIMIT }))
}

impl RetryBody {
    fn filter(self) -> Result<NotificationFilter, Problem> {
        let mut errors = BodyErrors::default();
        let state = self.state.map(|state| match state.parse() {
            Ok(state @ (StateName::Failed | StateName::Suppressed)) => Ok(state),
            _ => Err("must be `failed` or `suppressed`"),
        });
        let state = errors.collect(state.transpose(), "#/state");
        let channel = self.channel.map(|channel| channel.parse());
        let channel = errors.collect(channel.transpose(), "#/channel");
        // Webhooks have ids of the same form.
        let destination = self.destination.map(|id| id.parse::<CustomerId>());
        let destination = errors.collect(destination.transpose(), "#/destination");
        errors.finish(Some(NotificationFilter {
            id: None,
            order_id: self.order_id.map(domain::OrderId::new),
            state: state.flatten(),
            channel: channel.flatten(),
            destination: destination.flatten().map(|id| id.to_string()),
        }))
    }
}

impl Api {
    /// A page of notifications.
    pub(super) async fn page(
        &self,
        page: &PageQuery,
    ) -> Result<Json<NotificationPageJson>, Problem> {
        self.tables.ready()?;
        let PageQuery { filter, after, limit } = page;
        Ok(Json(self.notifications.list(filter, *after, *limit).await?.into()))
    }

    async fn notification(&self, id: NotificationId) -> Result<Notification, Problem> {
        let filter = NotificationFilter { id: Some(id), ..NotificationFilter::default() };
        let found = self.notifications.list(&filter, None, PageLimit::default()).await?;
        found.items.into_iter().next().ok_or_else(|| {
            Problem::new(ProblemType::NotFound, format!("there is no notification {id}"))
        })
    }

    /// Returns how many are sent again.
    async fn retry(&self, filter: &NotificationFilter) -> Result<usize, Problem> {
        let retried = self.notifications.retry(filter, None, RETRY_LIMIT).await?;
        self.outgoing.wakeup.send_replace(());
        Ok(retried.len())
    }
}
