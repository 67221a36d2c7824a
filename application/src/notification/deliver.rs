use super::{
    Channel, ClaimLimit, Notification, NotificationClaim, NotificationState, Notifications,
    SendError, SendOutcome, retry_delay,
};
use crate::StoreError;

/// What one call of [`deliver_notifications`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// No notification was due.
    Idle,
    /// Some notifications were due and were sent, or sending them failed.
    Tried {
        /// How many the provider has accepted.
        sent: usize,
        /// How many were not sent: they are retried later, or failed permanently.
        unsent: usize,
    },
}

/// Claims up to `limit` notifications that are due on this channel, sends them and stores the
/// results.
///
/// # Errors
/// When the store fails. A notification that was sent but not stored as sent is sent again, with
/// the same event id.
pub async fn deliver_notifications<S: Notifications>(
    notifications: &S,
    channel: &impl Channel,
    limit: ClaimLimit,
) -> Result<Delivered, StoreError> {
    let Some(claim) = notifications.claim(channel.name(), limit).await? else {
        return Ok(Delivered::Idle);
    };
    let mut outcomes = Vec::with_capacity(claim.notifications().len());
    for notification in claim.notifications() {
        let sent = channel.send(notification).await;
        outcomes
            .push(sent.map_or_else(|error| outcome(error, notification), |()| SendOutcome::Sent));
    }
    let sent = outcomes.iter().filter(|outcome| **outcome == SendOutcome::Sent).count();
    let unsent = outcomes.len() - sent;
    claim.settle(&outcomes).await?;
    Ok(Delivered::Tried { sent, unsent })
}

/// Whether a notification that was not sent is retried.
fn outcome(error: SendError, notification: &Notification) -> SendOutcome {
    let failed_before = match notification.state {
        NotificationState::Pending { attempts } => attempts,
        NotificationState::Sent { .. } | NotificationState::Failed { .. } => 0,
    };
    match error {
        SendError::Later(reason) => match retry_delay(failed_before + 1) {
            Some(delay) => SendOutcome::Later { reason, delay },
            None => SendOutcome::Failed(reason),
        },
        SendError::Never(reason) => SendOutcome::Failed(reason),
    }
}
