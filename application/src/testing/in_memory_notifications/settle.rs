use domain::Timestamp;

use super::{Entry, NotificationFilter, NotificationState, Settled, State};
use crate::notification::{
    EndpointChange, NotificationId, SendOutcome, StateName, Webhook, WebhookId, WebhookState,
};

impl State {
    /// Stores a result. `false` if the lease was lost.
    pub(super) fn settle(&mut self, settled: &Settled) -> bool {
        let now = self.now();
        let Some(entry) = self.entries.get_mut(&settled.id.get()) else { return false };
        if entry.lease != Some(settled.lease) {
            return false;
        }
        entry.lease = None;
        if let Some(attempt) = &settled.attempt {
            entry.notification.attempts += 1;
            entry.attempts.push(attempt.clone());
        }
        entry.notification.state = match &settled.outcome {
            SendOutcome::Sent => NotificationState::Sent { at: now },
            SendOutcome::Later { reason, delay } => NotificationState::Pending {
                due_at: (now.get() + *delay).into(),
                last_error: Some(reason.clone()),
            },
            SendOutcome::Failed(reason) => NotificationState::Failed { reason: reason.clone() },
            SendOutcome::Suppressed(reason) => {
                NotificationState::Suppressed { reason: reason.clone() }
            }
        };
        let webhook = entry.notification.destination.parse::<WebhookId>();
        if let Some(webhook) = webhook.ok().and_then(|id| self.webhooks.get_mut(&id)) {
            if settled.outcome == SendOutcome::Sent {
                webhook.failing_since = None;
            }
            if let Some(change) = &settled.endpoint {
                change_endpoint(webhook, change, now);
            }
        }
        true
    }

    pub(super) fn retry(
        &mut self,
        filter: &NotificationFilter,
        after: Option<NotificationId>,
        limit: usize,
    ) -> Vec<NotificationId> {
        let now = self.now();
        let chosen = self.entries.values_mut().filter(|entry| {
            let state = entry.notification.state.name();
            matches!(state, StateName::Failed | StateName::Suppressed)
                && filter.selects(&entry.notification)
                && after.is_none_or(|after| entry.notification.id > after)
        });
        chosen
            .take(limit)
            .map(|Entry { notification, .. }| {
                notification.attempts = 0;
                notification.state = NotificationState::Pending { due_at: now, last_error: None };
                notification.id
            })
            .collect()
    }
}

fn change_endpoint(webhook: &mut Webhook, change: &EndpointChange, at: Timestamp) {
    let reason = match change {
        EndpointChange::FailingSince(since) => {
            webhook.failing_since.get_or_insert(*since);
            return;
        }
        EndpointChange::Failing { since, .. } if webhook.failing_since != Some(*since) => return,
        EndpointChange::Gone(reason) | EndpointChange::Failing { reason, .. } => reason,
    };
    webhook.state = WebhookState::Disabled { at, reason: reason.clone() };
    webhook.version += 1;
}
