use std::collections::HashMap;
use std::sync::Mutex;

use application::inbox::Inbox;
use application::notification::{
    Channel, ChannelName, ClaimLimit, Delivered, Notification, NotificationState,
    NotificationViews, NotifyCustomer, SendError, deliver_notifications,
};
use application::testing::sample::{cancelled, created};
use application::testing::{InMemoryNotifications, sample};
use domain::EventId;

use crate::now;

/// A provider that accepts every notification, except those in `later` and `never`.
#[derive(Default)]
struct Provider {
    sent: Mutex<Vec<Notification>>,
    later: Mutex<HashMap<EventId, usize>>,
    never: Vec<EventId>,
}

impl Channel for Provider {
    fn name(&self) -> ChannelName {
        ChannelName::Log
    }

    async fn send(&self, notification: &Notification) -> Result<(), SendError> {
        let event = notification.content.event_id;
        if self.never.contains(&event) {
            return Err(SendError::Never("no such customer".to_owned()));
        }
        if let Some(left) = self.later.lock().unwrap().get_mut(&event).filter(|left| **left > 0) {
            *left -= 1;
            return Err(SendError::Later("busy".to_owned()));
        }
        self.sent.lock().unwrap().push(notification.clone());
        Ok(())
    }
}

impl Provider {
    fn sent(&self) -> Vec<EventId> {
        self.sent.lock().unwrap().iter().map(|sent| sent.content.event_id).collect()
    }
}

fn recorded() -> InMemoryNotifications {
    let store = InMemoryNotifications::default();
    let inbox = NotifyCustomer { notifications: store.clone(), channels: vec![ChannelName::Log] };
    now(inbox.apply_batch(&[created(1), created(2), cancelled(1, 2)], &[])).unwrap();
    store
}

fn deliver(store: &InMemoryNotifications, provider: &Provider) -> Delivered {
    let limit = ClaimLimit { notifications: 10, bytes: 1000 };
    now(deliver_notifications(store, provider, limit)).unwrap()
}

/// Sends until nothing is due. Returns how many were sent and how many attempts failed.
fn deliver_all(store: &InMemoryNotifications, provider: &Provider) -> (usize, usize) {
    let mut total = (0, 0);
    while let Delivered::Tried { sent, unsent } = deliver(store, provider) {
        total = (total.0 + sent, total.1 + unsent);
    }
    total
}

#[test]
fn each_notification_is_sent_once_oldest_first() {
    let (store, provider) = (recorded(), Provider::default());
    assert_eq!(deliver_all(&store, &provider), (3, 0));
    assert_eq!(
        provider.sent(),
        [sample::event_id(1, 1), sample::event_id(2, 1), sample::event_id(1, 2)]
    );
}

#[test]
fn the_message_describes_the_event() {
    let (store, provider) = (recorded(), Provider::default());
    deliver_all(&store, &provider);
    let sent = provider.sent.lock().unwrap();
    let id = sample::order_id(1);
    assert_eq!(
        sent[0].content.message,
        format!("Zoë Nº1 薬, we have received your order {id}: 21 pieces.")
    );
    assert_eq!(
        sent[2].content.message,
        format!("Your order {id} has been cancelled: {}.", sample::reason())
    );
}

#[test]
fn a_notification_is_retried_when_the_provider_is_busy() {
    let event = sample::event_id(2, 1);
    let provider = Provider { later: Mutex::new([(event, 1)].into()), ..Provider::default() };
    let store = recorded();
    assert_eq!(deliver_all(&store, &provider), (2, 1), "not retried without a delay");
    store.advance(3600);
    assert_eq!(deliver_all(&store, &provider), (1, 0));
    assert_eq!(provider.sent().iter().filter(|sent| **sent == event).count(), 1);
}

#[test]
fn notifications_of_an_order_are_sent_in_sequence_despite_retries() {
    let (first, second) = (sample::event_id(1, 1), sample::event_id(1, 2));
    let provider = Provider { later: Mutex::new([(first, 2)].into()), ..Provider::default() };
    let store = recorded();
    assert_eq!(deliver_all(&store, &provider), (1, 1));
    assert_eq!(provider.sent(), [sample::event_id(2, 1)]);
    store.advance(3600);
    assert_eq!(deliver_all(&store, &provider), (0, 1));
    store.advance(3600);
    assert_eq!(deliver_all(&store, &provider), (2, 0));
    assert_eq!(provider.sent(), [sample::event_id(2, 1), first, second]);
}

#[test]
fn a_rejected_notification_fails_and_does_not_block_others() {
    let provider = Provider { never: vec![sample::event_id(1, 1)], ..Provider::default() };
    let store = recorded();
    assert_eq!(deliver_all(&store, &provider), (2, 1));
    store.advance(3600);
    assert_eq!(deliver(&store, &provider), Delivered::Idle);
    let stored = now(store.of_order(sample::order_id(1))).unwrap();
    let reason = "no such customer".to_owned();
    assert_eq!(stored[0].state, NotificationState::Failed { reason });
    assert!(matches!(stored[1].state, NotificationState::Sent { .. }));
}

#[test]
fn a_notification_fails_after_20_attempts() {
    let event = sample::event_id(2, 1);
    let provider = Provider { later: Mutex::new([(event, 100)].into()), ..Provider::default() };
    let store = recorded();
    let mut attempts = 0;
    loop {
        attempts += deliver_all(&store, &provider).1;
        let stored = now(store.of_order(sample::order_id(2))).unwrap();
        if let NotificationState::Failed { reason } = &stored[0].state {
            assert_eq!((attempts, reason.as_str()), (20, "busy"));
            break;
        }
        store.advance(3600);
    }
}
