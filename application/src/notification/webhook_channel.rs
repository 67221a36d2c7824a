use domain::Timestamp;

use super::{
    Channel, ChannelName, Claimed, EventType, Notification, Recipient, SendError, Sending,
    Suppression, WebhookCall, WebhookSender,
};

/// The channel `webhook`: calls to other systems.
#[derive(Debug, Clone)]
pub struct WebhookChannel<S>(pub S);

impl<S: WebhookSender> Channel for WebhookChannel<S> {
    fn name(&self) -> ChannelName {
        ChannelName::Webhook
    }

    async fn send(&self, claimed: &Claimed, at: Timestamp) -> Result<Sending, SendError> {
        let Recipient::Webhook(Some(endpoint)) = &claimed.recipient else {
            return Ok(Sending::Suppressed(Suppression::Disabled));
        };
        let call = WebhookCall {
            id: claimed.notification.event_id.to_string(),
            at,
            url: endpoint.url.clone(),
            secrets: endpoint.secrets.clone(),
            body: body(&claimed.notification),
        };
        Ok(Sending::Accepted(self.0.send(&call).await?))
    }
}

/// The body of a call. It is thin: the receiver reads the order through the API, with its own rights.
/// None of its values needs escaping.
fn body(notification: &Notification) -> String {
    let Notification { order_id, order_version, occurred_at, event_type, .. } = notification;
    let version = order_version.get();
    let name = event_type.map_or("order.changed", EventType::as_str);
    let status = event_type.and_then(EventType::status);
    let status = status.map(|status| format!(r#","status":"{status}""#)).unwrap_or_default();
    format!(
        r#"{{"type":"{name}","timestamp":"{occurred_at}","data":{{"orderId":"{order_id}","orderVersion":{version}{status}}}}}"#
    )
}
