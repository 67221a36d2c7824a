use application::notification::{Channel, ChannelName, Notification, SendError};

/// The channel `log`: each notification is one line of the service's own log, under the target
/// `notification::log`. The line says which event the customer was told of; the message itself is
/// personal and stays in the database.
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
