use std::sync::Arc;
use std::time::Duration;

use application::StoreError;
use application::inbox::{BatchOutcome, Inbox};
use application::notification::{
    Channel, ClaimLimit, Delivered, Notifications, deliver_notifications,
};
use application::published::{DeadLetter, PublishedEvent};
use metrics::{counter, describe_counter};
use runtime::{Backoff, Outage, one_line};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The limit of a claim. A claim expires after a minute, so a slow channel would need a smaller one.
/// Messages are usually short, but the data of an event can make them long.
const BATCH: ClaimLimit = ClaimLimit { notifications: 200, bytes: 1024 * 1024 };

/// How long the worker waits if nothing is due and it is not woken.
const IDLE_WAIT: Duration = Duration::from_secs(1);

/// The waits while the store fails.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(5));

/// An inbox that wakes the worker after it has recorded notifications.
#[derive(Debug, Clone)]
pub struct WakingInbox<I> {
    /// The inbox that records the notifications.
    pub inbox: I,
    /// Wakes the worker.
    pub wakeup: Arc<Notify>,
}

impl<I: Inbox> Inbox for WakingInbox<I> {
    async fn apply_batch(
        &self,
        events: &[PublishedEvent],
        dead: &[DeadLetter],
    ) -> Result<BatchOutcome, StoreError> {
        let outcome = self.inbox.apply_batch(events, dead).await?;
        if outcome.applied > 0 {
            self.wakeup.notify_one();
        }
        Ok(outcome)
    }
}

/// Sends due notifications on the channel until `shutdown` is cancelled. Retries if the store fails.
pub async fn deliver<S: Notifications>(
    notifications: &S,
    channel: &impl Channel,
    wakeup: &Notify,
    shutdown: &CancellationToken,
) {
    describe_counter!("notifications_sent_total", "Notifications that the provider accepted");
    describe_counter!(
        "notifications_unsent_total",
        "Attempts that failed: the provider did not accept the notification"
    );
    let mut backoff = BACKOFF;
    let outage = Outage::of("the database of notifications");
    while !shutdown.is_cancelled() {
        let wait = match deliver_notifications(notifications, channel, BATCH).await {
            Ok(Delivered::Tried { sent, unsent }) => {
                outage.report_success();
                let name = channel.name().as_str();
                counter!("notifications_sent_total", "channel" => name).increment(sent as u64);
                counter!("notifications_unsent_total", "channel" => name).increment(unsent as u64);
                backoff.reset();
                // More may be due, such as the next notification of each order.
                continue;
            }
            Ok(Delivered::Idle) => {
                outage.report_success();
                backoff.reset();
                IDLE_WAIT
            }
            Err(error) => {
                if error.is_unavailable() {
                    outage.report_failure(&one_line(&error));
                } else {
                    tracing::error!(
                        "cannot claim or settle notifications; retrying: {}",
                        one_line(&error)
                    );
                }
                backoff.after_failure()
            }
        };
        tokio::select! {
            () = wakeup.notified() => {}
            () = tokio::time::sleep(wait) => {}
            () = shutdown.cancelled() => {}
        }
    }
}
