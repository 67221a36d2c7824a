use std::future::Future;
use std::time::Duration;

use domain::{EventId, OrderId, OrderVersion, Timestamp};

use super::ChannelName;
use crate::StoreError;
use crate::inbox::BatchOutcome;
use crate::published::DeadLetter;

/// Port to record notifications and to claim them for sending.
pub trait Notifications: Send + Sync {
    /// The type of a claim.
    type Claim: NotificationClaim;

    /// Records notifications to be sent and stores the dead letters, in one transaction.
    ///
    /// There MUST be at most one notification per event and channel. A notification that was
    /// recorded before, or that is twice in this call, is counted as repeated.
    fn record(
        &self,
        new: &[NewNotification],
        dead: &[DeadLetter],
    ) -> impl Future<Output = Result<BatchOutcome, StoreError>> + Send;

    /// Claims notifications of this channel that are due, up to `limit` but at least one. `None` if
    /// none is due, or if all that are due are already claimed. Two claims MUST NOT hold the same
    /// notification.
    ///
    /// A notification MUST NOT be claimed while an earlier one of the same order and channel is
    /// pending, claimed or not. So customers get the notifications of an order in the sequence of
    /// its versions, and a claim holds at most one notification per order. A notification that has
    /// failed permanently does not block later ones.
    fn claim(
        &self,
        channel: ChannelName,
        limit: ClaimLimit,
    ) -> impl Future<Output = Result<Option<Self::Claim>, StoreError>> + Send;

    /// Deletes about `limit` notifications that were sent or have failed and were recorded before this
    /// time, oldest first. Returns how many, and 0 only if no such notification is left.
    fn delete_settled(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;
}

/// The maximum size of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimLimit {
    /// Maximum number of notifications.
    pub notifications: usize,
    /// Maximum total size of their messages in bytes. A larger message is claimed alone.
    pub bytes: usize,
}

/// Notifications that this worker has claimed for sending.
///
/// Dropping a claim without [`settle`](Self::settle) releases its notifications unchanged.
pub trait NotificationClaim: Send {
    /// The notifications, oldest first.
    fn notifications(&self) -> &[Notification];

    /// Stores the outcome of each notification, in the same sequence, and ends the claim.
    fn settle(
        self,
        outcomes: &[SendOutcome],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// The result of sending a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// The provider has accepted it.
    Sent,
    /// Sending failed and is retried.
    Later {
        /// Why it failed.
        reason: String,
        /// How long to wait before the next attempt, at most
        /// [`MAX_RETRY_DELAY`](super::MAX_RETRY_DELAY).
        delay: Duration,
    },
    /// Sending failed permanently. Contains the reason.
    Failed(String),
}

/// Port to read notifications.
pub trait NotificationViews: Send + Sync {
    /// The notifications of an order, oldest first.
    fn of_order(
        &self,
        id: OrderId,
    ) -> impl Future<Output = Result<Vec<Notification>, StoreError>> + Send;
}

/// A notification to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNotification {
    /// The event that the customer is notified of.
    pub event_id: EventId,
    /// The channel to send it through.
    pub channel: ChannelName,
    /// The order of the event.
    pub order_id: OrderId,
    /// The order's version after the event.
    pub order_version: OrderVersion,
    /// The text for the customer.
    pub message: String,
}

/// A recorded notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The notification as it was recorded.
    pub content: NewNotification,
    /// The state of sending it.
    pub state: NotificationState,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

/// The state of sending a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotificationState {
    /// It is waiting to be sent.
    Pending {
        /// How many attempts have failed.
        attempts: u32,
    },
    /// The provider has accepted it.
    Sent {
        /// When.
        at: Timestamp,
    },
    /// Sending failed permanently. It is not retried.
    Failed {
        /// Why.
        reason: String,
    },
}
