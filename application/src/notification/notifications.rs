use std::future::Future;

use domain::{EventId, OrderId, OrderVersion, Timestamp};

use super::ChannelName;
use crate::StoreError;
use crate::inbox::BatchOutcome;
use crate::published::DeadLetter;

/// All notifications, for the side that records and sends them.
pub trait Notifications: Send + Sync {
    /// What a claim looks like.
    type Claim: NotificationClaim;

    /// Records notifications to be sent and keeps the dead letters: all or nothing.
    ///
    /// There MUST be at most one notification for an event and a channel; one recorded before, even
    /// twice in this call, is counted as repeated.
    fn record(
        &self,
        new: &[NewNotification],
        dead: &[DeadLetter],
    ) -> impl Future<Output = Result<BatchOutcome, StoreError>> + Send;

    /// Claims notifications of this channel that are due, up to `limit`, but at least one. `None`
    /// when none is due that nobody else has claimed. No two claims MUST hold the same notification.
    ///
    /// A notification MUST NOT be claimed while an earlier one of the same order and channel is
    /// pending, claimed or not: customers are told in the order of the order's versions. So a claim
    /// holds at most one notification of an order. One that failed does not block later ones.
    fn claim(
        &self,
        channel: ChannelName,
        limit: ClaimLimit,
    ) -> impl Future<Output = Result<Option<Self::Claim>, StoreError>> + Send;
}

/// How much one claim may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimLimit {
    /// Notifications at most.
    pub notifications: usize,
    /// Bytes of their messages at most; a message that is larger is claimed by itself.
    pub bytes: usize,
}

/// Notifications that are this worker's to send. Dropped unsettled, it is as if it had never been.
pub trait NotificationClaim: Send {
    /// The notifications, oldest first.
    fn notifications(&self) -> &[Notification];

    /// Notes what became of each notification, in the same order, and ends the claim.
    fn settle(
        self,
        outcomes: &[SendOutcome],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// What became of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// The provider has it.
    Sent,
    /// It is to be tried again after a while, which grows with each try.
    Later(String),
    /// It will never be sent.
    Failed(String),
}

/// All notifications, for those who look at them.
pub trait NotificationViews: Send + Sync {
    /// The notifications about an order, oldest first.
    fn of_order(
        &self,
        id: OrderId,
    ) -> impl Future<Output = Result<Vec<Notification>, StoreError>> + Send;
}

/// A notification to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNotification {
    /// The event it tells of.
    pub event_id: EventId,
    /// The way it takes.
    pub channel: ChannelName,
    /// The order it is about.
    pub order_id: OrderId,
    /// The order's version it tells of.
    pub order_version: OrderVersion,
    /// What it tells.
    pub message: String,
}

/// A notification that is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// What was recorded.
    pub content: NewNotification,
    /// Whether it was sent.
    pub state: NotificationState,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

/// Whether a notification was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotificationState {
    /// It is to be sent.
    Pending {
        /// How often that was tried.
        attempts: u32,
    },
    /// The provider has it.
    Sent {
        /// Since when.
        at: Timestamp,
    },
    /// It will never be sent.
    Failed {
        /// Why.
        reason: String,
    },
}
