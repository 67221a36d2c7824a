use super::{
    BTreeSet, Entry, EventId, Notice, Notification, NotificationState, OrderId, State, Timestamp,
};
use crate::notification::{ChannelName, EventType, NotificationId, WebhookState};

impl State {
    /// Records the notices that are new. Returns how many.
    pub(super) fn record_all(&mut self, notices: &[Notice], letters: bool) -> u64 {
        let mut known: BTreeSet<EventId> =
            self.entries.values().map(|entry| entry.notification.event_id).collect();
        let fresh: Vec<&Notice> =
            notices.iter().filter(|notice| known.insert(notice.event_id)).collect();
        for notice in &fresh {
            let Some(customer) = &notice.customer else { continue };
            if !self.customers.get(&customer.id).is_some_and(|known| known.erased) {
                self.orders.entry(notice.order_id).or_insert_with(|| customer.clone());
            }
        }
        for notice in &fresh {
            self.record(notice, letters);
        }
        for notice in fresh.iter().filter(|notice| notice.event_type == EventType::Redacted) {
            self.redact(notice.order_id);
        }
        fresh.len() as u64
    }

    fn redact(&mut self, order: OrderId) {
        self.orders.remove(&order);
        for entry in self.entries.values_mut() {
            if entry.notification.order_id == order {
                entry.notification.reason = None;
            }
        }
    }

    fn record(&mut self, notice: &Notice, letters: bool) {
        self.add(notice, ChannelName::Log, "log".to_owned());
        let customer = self.orders.get(&notice.order_id).map(|customer| customer.id.to_string());
        if let Some(customer) = customer.filter(|_| letters && notice.event_type.letter().is_some())
        {
            self.add(notice, ChannelName::Email, customer);
        }
        let subscribed = self.webhooks.values().filter(|webhook| {
            webhook.state == WebhookState::Enabled
                && webhook.settings.event_types.contains(&notice.event_type)
        });
        let subscribed: Vec<String> = subscribed.map(|webhook| webhook.id.to_string()).collect();
        for webhook in subscribed {
            self.add(notice, ChannelName::Webhook, webhook);
        }
    }

    fn add(&mut self, notice: &Notice, channel: ChannelName, destination: String) {
        self.recorded += 1;
        let due_at = self.due_at(notice, channel, &destination);
        let notification = Notification {
            id: NotificationId::new(self.recorded),
            event_id: notice.event_id,
            channel,
            destination,
            order_id: notice.order_id,
            order_version: notice.order_version,
            event_type: Some(notice.event_type),
            occurred_at: notice.occurred_at,
            reason: notice.reason.clone().filter(|_| channel == ChannelName::Email),
            attempts: 0,
            state: NotificationState::Pending { due_at, last_error: None },
            recorded_at: self.now(),
        };
        self.entries
            .insert(self.recorded, Entry { notification, lease: None, attempts: Vec::new() });
    }
    /// Now, or when the earlier ones that it has to wait for are tried again.
    fn due_at(&self, notice: &Notice, channel: ChannelName, destination: &str) -> Timestamp {
        let earlier = self.entries.values().filter(|entry| {
            let earlier = &entry.notification;
            (earlier.order_id, earlier.channel, earlier.destination.as_str())
                == (notice.order_id, channel, destination)
                && earlier.order_version <= notice.order_version
                && entry.lease.is_none()
        });
        let due = earlier.filter_map(|entry| match entry.notification.state {
            NotificationState::Pending { due_at, .. } => Some(due_at),
            _ => None,
        });
        due.fold(self.now(), Timestamp::max)
    }
}
