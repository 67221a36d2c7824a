use application::notification::{Notification, NotificationState};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Something a customer was told, or is to be told
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
    /// The event it tells of; a provider recognises a repeat by it
    event_id: Uuid,
    /// The way it takes
    channel: &'static str,
    /// The order it is about
    order_id: Uuid,
    /// The order's version it tells of
    #[schema(minimum = 1)]
    order_version: i64,
    /// What it tells
    message: String,
    /// Whether it was sent
    state: StateJson,
    /// When it was recorded
    #[serde(serialize_with = "adapter_http::moment")]
    recorded_at: DateTime<Utc>,
    /// Since when the provider has it; absent unless it was sent
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "adapter_http::moment_if_any"
    )]
    #[schema(nullable = false)]
    sent_at: Option<DateTime<Utc>>,
    /// Why it will never be sent; absent unless it failed
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    failure_reason: Option<String>,
}

/// Whether a notification was sent
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NotificationState)]
#[serde(rename_all = "lowercase")]
enum StateJson {
    /// It is to be sent
    Pending,
    /// The provider has it
    Sent,
    /// It will never be sent
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
