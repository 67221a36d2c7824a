//! The metrics of sending, for each channel.

use std::time::Duration;

use adapter_notification::PgNotifications;
use application::notification::{ChannelName, Claimed, SendOutcome, Settled};
use metrics::{counter, describe_counter, describe_gauge, gauge};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// How often the age of the oldest due notification is read.
const EVERY: Duration = Duration::from_secs(10);

pub(crate) fn describe() {
    describe_counter!("notifications_sent_total", "Notifications that the receiver accepted");
    describe_counter!(
        "notifications_unsent_total",
        "Attempts that failed, by class: `later` is retried, `failed` is not, `outage` means that the \
         provider cannot be reached"
    );
    describe_counter!(
        "notifications_suppressed_total",
        "Notifications that were not to be sent, such as letters to customers without a contact"
    );
    describe_counter!(
        "notification_leases_expired_total",
        "Notifications that were claimed again because a lease had run out; they may be sent twice"
    );
    describe_gauge!("notifications_in_flight", "Notifications that are being sent");
    describe_gauge!(
        "notifications_oldest_due_seconds",
        "For how long the oldest notification has been due"
    );
}

pub(crate) fn claimed(channel: ChannelName, claimed: &[Claimed]) {
    let ran_out = claimed.iter().filter(|one| one.ran_out).count();
    counter!("notification_leases_expired_total", "channel" => channel.as_str())
        .increment(ran_out as u64);
}

pub(crate) fn in_flight(channel: ChannelName, count: usize) {
    gauge!("notifications_in_flight", "channel" => channel.as_str())
        .set(u32::try_from(count).unwrap_or(u32::MAX));
}

pub(crate) fn settled(channel: ChannelName, settled: &[Settled]) {
    let channel = channel.as_str();
    let sent = counter!("notifications_sent_total", "channel" => channel);
    let unsent = |class: &'static str| counter!("notifications_unsent_total", "channel" => channel, "class" => class);
    for one in settled {
        match &one.outcome {
            SendOutcome::Sent => sent.increment(1),
            SendOutcome::Later { .. } if one.outage().is_some() => unsent("outage").increment(1),
            SendOutcome::Later { .. } => unsent("later").increment(1),
            SendOutcome::Failed(_) => unsent("failed").increment(1),
            SendOutcome::Suppressed(_) => {
                counter!("notifications_suppressed_total", "channel" => channel).increment(1);
            }
        }
    }
}

/// Reads how old the oldest due notifications are, until `stop` is cancelled.
pub(crate) async fn watch_backlog(notifications: &PgNotifications, stop: &CancellationToken) {
    let mut turns = interval(EVERY);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let watch = async {
        loop {
            turns.tick().await;
            for channel in ChannelName::ALL {
                // The worker reports that the store is down.
                if let Ok(oldest) = notifications.oldest_due(channel).await {
                    gauge!("notifications_oldest_due_seconds", "channel" => channel.as_str())
                        .set(oldest.as_secs_f64());
                }
            }
        }
    };
    stop.run_until_cancelled(watch).await;
}
