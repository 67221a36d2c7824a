use application::StoreError;
use application::notification::{ChannelName, NewNotification, Notification, NotificationState};
use chrono::{DateTime, Utc};
use domain::{EventId, OrderId, OrderVersion};
use uuid::Uuid;

/// A notification as the statements of this crate select it.
#[derive(Debug)]
pub(super) struct NotificationRow {
    pub(super) id: i64,
    pub(super) event_id: Uuid,
    pub(super) channel: String,
    pub(super) order_id: Uuid,
    pub(super) order_version: i64,
    pub(super) message: String,
    pub(super) state: String,
    pub(super) attempts: i32,
    pub(super) last_error: Option<String>,
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) sent_at: Option<DateTime<Utc>>,
}

/// A row with contents that this program never writes.
#[derive(Debug, thiserror::Error)]
#[error("row {0} of notification.notifications has an invalid state")]
struct ImpossibleRow(i64);

impl NotificationRow {
    pub(super) fn into_notification(self) -> Result<Notification, StoreError> {
        let impossible = || StoreError::Broken(Box::new(ImpossibleRow(self.id)));
        let state = match (self.state.as_str(), self.sent_at, self.last_error) {
            ("pending", None, _) => {
                let attempts = u32::try_from(self.attempts).map_err(|_| impossible())?;
                NotificationState::Pending { attempts }
            }
            ("sent", Some(at), _) => NotificationState::Sent { at: at.into() },
            ("failed", None, Some(reason)) => NotificationState::Failed { reason },
            _ => return Err(impossible()),
        };
        let content = NewNotification {
            event_id: EventId::new(self.event_id),
            channel: self.channel.parse::<ChannelName>().map_err(|_| impossible())?,
            order_id: OrderId::new(self.order_id),
            order_version: OrderVersion::try_from(self.order_version).map_err(|_| impossible())?,
            message: self.message,
        };
        Ok(Notification { content, state, recorded_at: self.recorded_at.into() })
    }
}
