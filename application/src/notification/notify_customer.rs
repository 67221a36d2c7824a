use super::{ChannelName, NewNotification, Notifications};
use crate::StoreError;
use crate::inbox::{BatchOutcome, Inbox};
use crate::published::{DeadLetter, Payload, PublishedEvent};

/// The inbox of notification: records one notification per event and channel.
///
/// Sending is a separate step, so a provider is never called inside a transaction.
#[derive(Debug, Clone)]
pub struct NotifyCustomer<S> {
    /// The store of notifications.
    pub notifications: S,
    /// The channels to notify the customer through.
    pub channels: Vec<ChannelName>,
}

impl<S: Notifications> Inbox for NotifyCustomer<S> {
    async fn apply_batch(
        &self,
        events: &[PublishedEvent],
        dead: &[DeadLetter],
    ) -> Result<BatchOutcome, StoreError> {
        let new: Vec<NewNotification> = events
            .iter()
            .flat_map(|event| {
                self.channels.iter().map(|&channel| NewNotification {
                    event_id: event.event_id,
                    channel,
                    order_id: event.order_id,
                    order_version: event.order_version,
                    message: message(event),
                })
            })
            .collect();
        self.notifications.record(&new, dead).await
    }
}

fn message(event: &PublishedEvent) -> String {
    let order = event.order_id;
    match &event.payload {
        Payload::OrderCreated { customer_name, items, .. } => {
            let pieces: i64 = items.iter().map(|item| i64::from(item.quantity)).sum();
            let noun = if pieces == 1 { "piece" } else { "pieces" };
            format!("{customer_name}, we have received your order {order}: {pieces} {noun}.")
        }
        Payload::OrderCancelled { reason } => {
            format!("Your order {order} has been cancelled: {reason}.")
        }
    }
}
