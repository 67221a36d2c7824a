use application::notification::{Channel, ChannelName, Notification, SendError};

/// The channels on which customers are notified.
pub(crate) const CHANNELS: [ChannelName; 1] = [ChannelName::Log];

/// The channel `log`: writes each notification as one line to the log of the service, with the target
/// `notification::log`.
///
/// The line has the ids of the event and the order. It does not have the message, which is personal
/// data.
#[derive(Debug, Clone, Copy)]
pub struct LogChannel;

impl Channel for LogChannel {
    fn name(&self) -> ChannelName {
        ChannelName::Log
    }

    async fn send(&self, notification: &Notification) -> Result<(), SendError> {
        let content = &notification.content;
        tracing::info!(
            target: "notification::log",
            event_id = %content.event_id,
            order_id = %content.order_id,
            order_version = content.order_version.get(),
            "notified"
        );
        Ok(())
    }
}
