use application::notification::{Notification, NotificationState};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A notification for a customer
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Notification, example = json!({
    "eventId": "01890a5d-ac96-774b-bcce-b302f9a1c0de",
    "channel": "log",
    "orderId": "01890a5d-ac96-774b-bcce-b302099a8057",
    "orderVersion": 1,
    "message": "Ada Lovelace, we have received your order 01890a5d-ac96-774b-bcce-b302099a8057: 2 pieces.",
    "state": "sent",
    "recordedAt": "2026-01-31T12:00:00.100000Z",
    "sentAt": "2026-01-31T12:00:00.120000Z",
}))]
#[serde(rename_all = "camelCase")]
pub(super) struct NotificationJson {
    /// The id of the event that the notification is about. It is the idempotency key for the provider
    event_id: Uuid,
    /// The channel on which it is sent
    channel: &'static str,
    /// The id of the order
    order_id: Uuid,
    /// The version of the order after the event
    #[schema(minimum = 1)]
    order_version: i64,
    /// The text for the customer
    message: String,
    /// The state of the notification
    state: StateJson,
    /// When the notification was recorded
    #[serde(serialize_with = "adapter_http::timestamp")]
    recorded_at: DateTime<Utc>,
    /// When the provider accepted it; only in the state `sent`
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "adapter_http::optional_timestamp"
    )]
    #[schema(nullable = false)]
    sent_at: Option<DateTime<Utc>>,
    /// Why it failed; only in the state `failed`
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    failure_reason: Option<String>,
}

/// The state of a notification
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NotificationState)]
#[serde(rename_all = "lowercase")]
enum StateJson {
    /// Not sent yet
    Pending,
    /// Accepted by the provider
    Sent,
    /// Not sent, and not retried
    Failed,
}

impl From<Notification> for NotificationJson {
    fn from(notification: Notification) -> Self {
        let Notification { content, state, recorded_at } = notification;
        let (state, sent_at, failure_reason) = match state {
            NotificationState::Pending { .. } => (StateJson::Pending, None, None),
            NotificationState::Sent { at } => (StateJson::Sent, Some(at.get()), None),
            NotificationState::Failed { reason } => (StateJson::Failed, None, Some(reason)),
        };
        Self {
            event_id: content.event_id.get(),
            channel: content.channel.as_str(),
            order_id: content.order_id.get(),
            order_version: content.order_version.get(),
            message: content.message,
            state,
            recorded_at: recorded_at.get(),
            sent_at,
            failure_reason,
        }
    }
}
