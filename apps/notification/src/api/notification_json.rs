use adapter_http::QueryParameters;
use application::notification::{
    Attempt, EventType, Notification, NotificationFilter, NotificationId, NotificationState,
};
use application::paging::{Page, PageLimit};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A notification: one event, sent to one receiver
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Notification, example = json!({
    "id": 4711,
    "channel": "email",
    "destination": "customer-1",
    "eventId": "01890a5d-ac96-774b-bcce-b302f9a1c0de",
    "eventType": "order.created",
    "orderId": "01890a5d-ac96-774b-bcce-b302099a8057",
    "orderVersion": 1,
    "state": "sent",
    "attempts": 1,
    "recordedAt": "2026-01-31T12:00:00.100000Z",
    "sentAt": "2026-01-31T12:00:00.120000Z",
}))]
#[serde(rename_all = "camelCase")]
pub(super) struct NotificationJson {
    /// The number of the notification. Later ones have higher numbers
    #[schema(minimum = 1)]
    id: i64,
    /// How it is sent: `log`, `email` or `webhook`
    channel: &'static str,
    /// The receiver: the id of the customer or of the webhook; `log` on the channel `log`
    destination: String,
    /// The id of the event. It is the idempotency key for the receiver
    event_id: Uuid,
    /// The type of the event; absent if an earlier version recorded the notification
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    event_type: Option<&'static str>,
    /// The id of the order
    order_id: Uuid,
    /// The version of the order after the event
    #[schema(minimum = 1)]
    order_version: i64,
    /// The state of the notification
    state: StateJson,
    /// How many attempts were made to send it
    #[schema(minimum = 0)]
    attempts: u32,
    /// When the notification was recorded
    #[serde(serialize_with = "adapter_http::timestamp")]
    recorded_at: DateTime<Utc>,
    /// When the next attempt is due; only in the state `pending`
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "adapter_http::optional_timestamp"
    )]
    #[schema(nullable = false)]
    due_at: Option<DateTime<Utc>>,
    /// When the receiver accepted it; only in the state `sent`
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "adapter_http::optional_timestamp"
    )]
    #[schema(nullable = false)]
    sent_at: Option<DateTime<Utc>>,
    /// Why it was not sent, or why the last attempt failed
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    failure_reason: Option<String>,
}

/// The state of a notification
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NotificationState)]
#[serde(rename_all = "lowercase")]
pub(super) enum StateJson {
    /// Not sent yet
    Pending,
    /// Accepted by the receiver
    Sent,
    /// Not sent, and not retried
    Failed,
    /// Not to be sent: for example, the customer has no contact
    Suppressed,
}

/// A page of notifications
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NotificationPage)]
#[serde(rename_all = "camelCase")]
pub(super) struct NotificationPageJson {
    /// The notifications, oldest first
    items: Vec<NotificationJson>,
    /// The cursor of the next page; absent on the last page
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
}

/// A notification and the attempts to send it
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NotificationDetails)]
#[serde(rename_all = "camelCase")]
pub(super) struct DetailsJson {
    /// The notification
    notification: NotificationJson,
    /// The attempts of the last days, oldest first. `ATTEMPTS_RETENTION_DAYS` says how many days
    attempts: Vec<AttemptJson>,
}

/// An attempt to send a notification
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attempt)]
#[serde(rename_all = "camelCase")]
struct AttemptJson {
    /// When it began
    #[serde(serialize_with = "adapter_http::timestamp")]
    began_at: DateTime<Utc>,
    /// How long it took
    #[schema(minimum = 0)]
    duration_ms: u64,
    /// Whether the receiver accepted the notification
    accepted: bool,
    /// A short excerpt of the answer, or why there was none
    answer: String,
}

impl From<Notification> for NotificationJson {
    fn from(notification: Notification) -> Self {
        let (state, due_at, sent_at, failure_reason) = match notification.state {
            NotificationState::Pending { due_at, last_error } => {
                (StateJson::Pending, Some(due_at.get()), None, last_error)
            }
            NotificationState::Sent { at } => (StateJson::Sent, None, Some(at.get()), None),
            NotificationState::Failed { reason } => (StateJson::Failed, None, None, Some(reason)),
            NotificationState::Suppressed { reason } => {
                (StateJson::Suppressed, None, None, Some(reason))
            }
        };
        Self {
            id: notification.id.get(),
            channel: notification.channel.as_str(),
            destination: notification.destination,
            event_id: notification.event_id.get(),
            event_type: notification.event_type.map(EventType::as_str),
            order_id: notification.order_id.get(),
            order_version: notification.order_version.get(),
            state,
            attempts: notification.attempts,
            recorded_at: notification.recorded_at.get(),
            due_at,
            sent_at,
            failure_reason,
        }
    }
}

impl From<Page<Notification, NotificationId>> for NotificationPageJson {
    fn from(page: Page<Notification, NotificationId>) -> Self {
        Self {
            items: page.items.into_iter().map(Into::into).collect(),
            next_cursor: page.next.map(|id| id.to_string()),
        }
    }
}

impl DetailsJson {
    pub(super) fn new(notification: Notification, attempts: Vec<Attempt>) -> Self {
        let attempt = |attempt: Attempt| AttemptJson {
            began_at: attempt.began.get(),
            duration_ms: u64::try_from(attempt.duration.as_millis()).unwrap_or(u64::MAX),
            accepted: attempt.accepted,
            answer: attempt.answer,
        };
        let attempts = attempts.into_iter().map(attempt).collect();
        Self { notification: notification.into(), attempts }
    }
}

/// The parameters of a page: which notifications, after which one, and how many.
pub(super) struct PageQuery {
    pub(super) filter: NotificationFilter,
    pub(super) after: Option<NotificationId>,
    pub(super) limit: PageLimit,
}

impl PageQuery {
    /// Takes the parameters that every list of notifications has.
    pub(super) fn take(query: &mut QueryParameters) -> Self {
        Self {
            filter: NotificationFilter {
                state: query.take("state"),
                ..NotificationFilter::default()
            },
            after: query.take("cursor"),
            limit: query.take("limit").unwrap_or_default(),
        }
    }
}
