use std::future::Future;

use domain::{OrderId, Timestamp};

use super::{
    Attempt, ChannelName, ClaimRequest, Claimed, Notice, Notification, NotificationId, Settled,
    StateName,
};
use crate::StoreError;
use crate::inbox::BatchOutcome;
use crate::paging::{Page, PageLimit};
use crate::published::DeadLetter;

/// Port to record notifications and to lease them for sending.
pub trait Notifications: Send + Sync {
    /// Records what these events tell and stores the dead letters, in one transaction.
    ///
    /// Each event gets a notification on the channel `log`, and if it is new:
    ///
    /// - if it has a letter, `letters` is set and the customer of its order is known and not erased: one
    ///   on the channel `email` for the customer;
    /// - one on the channel `webhook` for each enabled webhook that subscribes to its type.
    ///
    /// A notification is due at once. If an earlier one of the same order, channel and destination is
    /// tried again later, it is due together with that one: it cannot be sent before.
    ///
    /// The customer of an order is known from the event that created it. The event `order.redacted` deletes
    /// the customer of its order, and the reasons in its letters. An event that was recorded
    /// before, or that is twice in this call, is counted as repeated and changes nothing, whatever
    /// webhooks and customers there are now.
    fn record(
        &self,
        notices: &[Notice],
        letters: bool,
        dead: &[DeadLetter],
    ) -> impl Future<Output = Result<BatchOutcome, StoreError>> + Send;

    /// Leases notifications that are due. Empty if none is due, or if all that are due are leased.
    ///
    /// A notification whose lease has run out is due again. A notification MUST NOT be leased while an
    /// earlier one of the same order, channel and destination is pending, leased or not. So a receiver
    /// gets the notifications of an order in the sequence of its versions. One that has failed
    /// permanently does not block later ones.
    ///
    /// Notifications of receivers that have reached their limit are skipped, and others are leased
    /// instead. If one receiver has very many, a single claim may skip some of the others too; it MUST
    /// find them when that receiver has reached its limit.
    fn claim(
        &self,
        request: ClaimRequest<'_>,
    ) -> impl Future<Output = Result<Vec<Claimed>, StoreError>> + Send;

    /// Stores the results and the changes of webhooks. Results whose lease was lost are ignored. Returns
    /// how many were stored.
    fn settle(&self, settled: &[Settled]) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Makes failed and suppressed notifications pending again, with no attempts: the first `limit`
    /// after `after` that the filter selects. Returns their ids, in ascending order.
    fn retry(
        &self,
        filter: &NotificationFilter,
        after: Option<NotificationId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<NotificationId>, StoreError>> + Send;

    /// Deletes about `limit` notifications that are not pending and were recorded before this time,
    /// oldest first. Returns how many, and 0 only if no such notification is left.
    fn delete_settled(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;
}

/// Which notifications are meant. A field that is `None` selects all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NotificationFilter {
    /// The notification with this number.
    pub id: Option<NotificationId>,
    /// Those about this order.
    pub order_id: Option<OrderId>,
    /// Those in this state.
    pub state: Option<StateName>,
    /// Those on this channel.
    pub channel: Option<ChannelName>,
    /// Those for this receiver.
    pub destination: Option<String>,
}

/// Port to read notifications.
pub trait NotificationViews: Send + Sync {
    /// A page of notifications, oldest first, after this one.
    fn list(
        &self,
        filter: &NotificationFilter,
        after: Option<NotificationId>,
        limit: PageLimit,
    ) -> impl Future<Output = Result<Page<Notification, NotificationId>, StoreError>> + Send;

    /// The attempts to send a notification, oldest first.
    fn attempts(
        &self,
        id: NotificationId,
    ) -> impl Future<Output = Result<Vec<Attempt>, StoreError>> + Send;
}
