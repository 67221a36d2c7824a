use super::{Channel, ClaimLimit, NotificationClaim, Notifications, SendError, SendOutcome};
use crate::StoreError;

/// What one round of sending did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// Nothing was due.
    Idle,
    /// Some notifications were due.
    Tried {
        /// Those the provider has.
        sent: usize,
        /// Those to be tried again, or never.
        unsent: usize,
    },
}

/// Sends notifications that are due on this channel, up to `limit`, and notes what became of them.
///
/// # Errors
/// When the store fails. What was sent but not noted is sent again, under the same event id.
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
        outcomes.push(match channel.send(notification).await {
            Ok(()) => SendOutcome::Sent,
            Err(SendError::Later(why)) => SendOutcome::Later(why),
            Err(SendError::Never(why)) => SendOutcome::Failed(why),
        });
    }
    let sent = outcomes.iter().filter(|outcome| **outcome == SendOutcome::Sent).count();
    let unsent = outcomes.len() - sent;
    claim.settle(&outcomes).await?;
    Ok(Delivered::Tried { sent, unsent })
}
