use application::StoreError;
use application::notification::{
    ChannelName, EventType, Notification, NotificationId, NotificationState,
};
use chrono::{DateTime, Utc};
use domain::{EventId, OrderId, OrderVersion};
use uuid::Uuid;

/// A notification as the statements of this crate select it.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct NotificationRow {
    pub(super) id: i64,
    pub(super) event_id: Uuid,
    pub(super) channel: String,
    pub(super) destination: String,
    pub(super) order_id: Uuid,
    pub(super) order_version: i64,
    pub(super) event_type: Option<String>,
    pub(super) occurred_at: Option<DateTime<Utc>>,
    pub(super) reason: Option<String>,
    pub(super) state: String,
    pub(super) attempts: i32,
    pub(super) due_at: DateTime<Utc>,
    pub(super) last_error: Option<String>,
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) sent_at: Option<DateTime<Utc>>,
}

/// A row with contents that this program never writes.
#[derive(Debug, thiserror::Error)]
#[error("row {0} of notification.notifications has an invalid state")]
struct ImpossibleRow(i64);

impl NotificationRow {
    /// The columns of the row.
    pub(super) const COLUMNS: &str =
        "id, event_id, channel, destination, order_id, order_version, event_type, occurred_at, reason,
         state, attempts, due_at, last_error, recorded_at, sent_at";

    pub(super) fn into_notification(self) -> Result<Notification, StoreError> {
        let impossible = || StoreError::Broken(Box::new(ImpossibleRow(self.id)));
        let state = match (self.state.as_str(), self.sent_at, self.last_error) {
            ("pending", None, last_error) => {
                NotificationState::Pending { due_at: self.due_at.into(), last_error }
            }
            ("sent", Some(at), _) => NotificationState::Sent { at: at.into() },
            ("failed", None, Some(reason)) => NotificationState::Failed { reason },
            ("suppressed", None, Some(reason)) => NotificationState::Suppressed { reason },
            _ => return Err(impossible()),
        };
        // A later version may have recorded a type that this one does not know.
        let event_type = self.event_type.and_then(|name| name.parse::<EventType>().ok());
        Ok(Notification {
            id: NotificationId::new(self.id),
            event_id: EventId::new(self.event_id),
            channel: self.channel.parse::<ChannelName>().map_err(|_| impossible())?,
            destination: self.destination,
            order_id: OrderId::new(self.order_id),
            order_version: OrderVersion::try_from(self.order_version).map_err(|_| impossible())?,
            event_type,
            occurred_at: self.occurred_at.unwrap_or(self.recorded_at).into(),
            reason: self.reason,
            attempts: u32::try_from(self.attempts).map_err(|_| impossible())?,
            state,
            recorded_at: self.recorded_at.into(),
        })
    }
}
