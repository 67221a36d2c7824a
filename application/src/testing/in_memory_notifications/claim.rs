use std::collections::BTreeMap;

use super::{ClaimRequest, Claimed, Notification, NotificationState, State};
use crate::notification::{Addressee, ChannelName, Endpoint, Recipient, WebhookId, WebhookState};

impl State {
    pub(super) fn claim(&mut self, request: ClaimRequest<'_>) -> Vec<Claimed> {
        let now = self.now();
        let mut due: Vec<(_, i64)> = self
            .entries
            .iter()
            .filter(|(id, entry)| {
                entry.notification.channel == request.channel && self.is_first_pending(**id)
            })
            .filter_map(|(id, entry)| match entry.notification.state {
                NotificationState::Pending { due_at, .. } if due_at <= now => Some((due_at, *id)),
                _ => None,
            })
            .collect();
        due.sort_unstable();
        let mut leased: BTreeMap<String, usize> =
            request.busy.iter().map(|busy| (busy.destination.clone(), busy.leased)).collect();
        let (mut claimed, mut failing) = (Vec::new(), 0);
        for (_, id) in due {
            let destination = &self.entries[&id].notification.destination;
            let is_failing = self.is_failing(destination);
            let most = if is_failing { 1 } else { most(request, destination) };
            let leased = leased.entry(destination.clone()).or_default();
            let is_free = *leased < most && (!is_failing || failing < request.failing);
            if is_free && claimed.len() < request.limit {
                *leased += 1;
                failing += usize::from(is_failing);
                claimed.extend(self.lease(id, request));
            }
        }
        claimed
    }

    fn is_failing(&self, destination: &str) -> bool {
        let webhook = destination.parse().ok().and_then(|id: WebhookId| self.webhooks.get(&id));
        webhook.is_some_and(|webhook| webhook.failing_since.is_some())
    }

    fn lease(&mut self, id: i64, request: ClaimRequest<'_>) -> Option<Claimed> {
        let until = (self.now().get() + request.hold).into();
        let recipient = self.recipient(&self.entries.get(&id)?.notification);
        let entry = self.entries.get_mut(&id)?;
        let ran_out = entry.lease.replace(request.lease).is_some();
        if let NotificationState::Pending { due_at, .. } = &mut entry.notification.state {
            *due_at = until;
        }
        let notification = entry.notification.clone();
        Some(Claimed { notification, lease: request.lease, ran_out, recipient })
    }

    fn recipient(&self, notification: &Notification) -> Recipient {
        match notification.channel {
            ChannelName::Log => Recipient::Log,
            ChannelName::Email => Recipient::Customer(self.addressee(notification)),
            ChannelName::Webhook => Recipient::Webhook(self.endpoint(notification)),
        }
    }

    fn addressee(&self, notification: &Notification) -> Option<Addressee> {
        let customer = self.orders.get(&notification.order_id)?;
        let contact = self.customers.get(&customer.id)?.contact.as_ref()?.contact.clone();
        Some(Addressee {
            name: customer.name.clone(),
            email: contact.email,
            language: contact.language,
            preferences: contact.preferences,
        })
    }

    fn endpoint(&self, notification: &Notification) -> Option<Endpoint> {
        let id: WebhookId = notification.destination.parse().ok()?;
        let webhook = self.webhooks.get(&id)?;
        (webhook.state == WebhookState::Enabled).then(|| Endpoint {
            url: webhook.settings.url.clone(),
            secrets: webhook.secrets(self.now()),
            failing_since: webhook.failing_since,
        })
    }

    /// Whether no earlier notification of the same order, channel and destination is pending.
    fn is_first_pending(&self, id: i64) -> bool {
        let one = &self.entries[&id].notification;
        let place = |other: &Notification| (other.order_version, other.id);
        self.entries.values().filter(|entry| entry.is_pending()).all(|entry| {
            let other = &entry.notification;
            (other.order_id, other.channel, &other.destination)
                != (one.order_id, one.channel, &one.destination)
                || place(other) >= place(one)
        })
    }
}

/// How many notifications may be leased for this receiver.
fn most(request: ClaimRequest<'_>, destination: &str) -> usize {
    match request.channel {
        ChannelName::Log => usize::MAX,
        ChannelName::Email | ChannelName::Webhook => {
            let busy = request.busy.iter().find(|busy| busy.destination == destination);
            busy.map_or(request.per_destination, |busy| busy.most)
        }
    }
}
