use std::sync::Arc;
use std::time::Duration;

use application::StoreError;
use application::inbox::{BatchOutcome, Inbox};
use application::notification::{
    Channel, ClaimLimit, Delivered, Notifications, deliver_notifications,
};
use application::published::{DeadLetter, PublishedEvent};
use metrics::{counter, describe_counter};
use runtime::{Outage, one_line};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// What is claimed at once. A claim ends by itself after a minute, so a channel that takes its time
/// needs fewer notifications. Messages are short, but foreign events can make them long.
const BATCH: ClaimLimit = ClaimLimit { notifications: 200, bytes: 1024 * 1024 };

/// How long the worker rests when nothing is due and nobody wakes it.
const REST: Duration = Duration::from_secs(1);

/// The longest rest while the store fails.
const LONGEST_REST: Duration = Duration::from_secs(5);

/// An inbox that wakes the worker when it has recorded something.
#[derive(Debug, Clone)]
pub struct Waking<I> {
    /// What takes the events in.
    pub inbox: I,
    /// What the worker listens to.
    pub bell: Arc<Notify>,
}

impl<I: Inbox> Inbox for Waking<I> {
    async fn apply_batch(
        &self,
        events: &[PublishedEvent],
        dead: &[DeadLetter],
    ) -> Result<BatchOutcome, StoreError> {
        let intake = self.inbox.apply_batch(events, dead).await?;
        if intake.applied > 0 {
            self.bell.notify_one();
        }
        Ok(intake)
    }
}

/// Sends what is due on the channel until it is told to stop. A store that fails is waited out.
pub async fn deliver<S: Notifications>(
    notifications: &S,
    channel: &impl Channel,
    bell: &Notify,
    shutdown: &CancellationToken,
) {
    describe_counter!("notifications_sent_total", "Notifications that the provider took");
    describe_counter!("notifications_unsent_total", "Tries that the provider did not take");
    let mut rest = REST;
    let outage = Outage::of("the store of notifications");
    while !shutdown.is_cancelled() {
        match deliver_notifications(notifications, channel, BATCH).await {
            Ok(Delivered::Tried { sent, unsent }) => {
                outage.ends();
                let name = channel.name().as_str();
                counter!("notifications_sent_total", "channel" => name).increment(sent as u64);
                counter!("notifications_unsent_total", "channel" => name).increment(unsent as u64);
                rest = REST;
                // There may be more, such as the next notification of each order.
                continue;
            }
            Ok(Delivered::Idle) => {
                outage.ends();
                rest = REST;
            }
            Err(error) => {
                if error.is_unavailable() {
                    outage.begins(&one_line(&error));
                } else {
                    tracing::error!("cannot deliver notifications: {}", one_line(&error));
                }
                rest = LONGEST_REST.min(rest * 2);
            }
        }
        tokio::select! {
            () = bell.notified() => {}
            () = tokio::time::sleep(rest) => {}
            () = shutdown.cancelled() => {}
        }
    }
}
