use application::notification::{Channel, ChannelName, Claimed, SendError, Sending};
use domain::Timestamp;

/// The channel `log`: writes each notification as one line to the log of the service, with the target
/// `notification::log`.
///
/// The line has the ids of the event and the order, and no personal data.
#[derive(Debug, Clone, Copy)]
pub struct LogChannel;

impl Channel for LogChannel {
    fn name(&self) -> ChannelName {
        ChannelName::Log
    }

    async fn send(&self, claimed: &Claimed, _: Timestamp) -> Result<Sending, SendError> {
        let notification = &claimed.notification;
        tracing::info!(
            target: "notification::log",
            event_id = %notification.event_id,
            order_id = %notification.order_id,
            order_version = notification.order_version.get(),
            "notified"
        );
        Ok(Sending::Logged)
    }
}
