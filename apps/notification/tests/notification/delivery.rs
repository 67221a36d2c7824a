use std::collections::{HashMap, HashSet};
use std::future::pending;
use std::sync::{Arc, Mutex};

use application::inbox::Inbox;
use application::notification::{Answer, Channel, ChannelName, Claimed, SendError, Sending};
use application::published::PublishedEvent;
use domain::{EventId, Timestamp};
use notification::{WakingInbox, run_worker};
use runtime::clock;
use serde_json::Value;
use test_support::eventually;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, LIMITS, cancelled, created};

/// A provider that records what it has received, and refuses the first `refusals` notifications.
#[derive(Debug, Clone)]
struct Provider {
    name: ChannelName,
    received: Arc<Mutex<Vec<(String, EventId)>>>,
    refusals: Arc<Mutex<usize>>,
    /// The destination whose notifications are never answered.
    stuck: Option<String>,
    /// The calls that are open now, and the most that were, for each destination.
    open: Arc<Mutex<HashMap<String, (usize, usize)>>>,
}

impl Provider {
    fn new(name: ChannelName) -> Self {
        Self {
            name,
            received: Arc::default(),
            refusals: Arc::default(),
            stuck: None,
            open: Arc::default(),
        }
    }

    fn refusing(self, refusals: usize) -> Self {
        Self { refusals: Arc::new(Mutex::new(refusals)), ..self }
    }

    fn events(&self) -> Vec<EventId> {
        self.received.lock().unwrap().iter().map(|(_, event)| *event).collect()
    }
}

impl Channel for Provider {
    fn name(&self) -> ChannelName {
        self.name
    }

    async fn send(&self, claimed: &Claimed, _: Timestamp) -> Result<Sending, SendError> {
        let destination = claimed.notification.destination.clone();
        {
            let mut open = self.open.lock().unwrap();
            let (now, most) = open.entry(destination.clone()).or_default();
            *now += 1;
            *most = (*most).max(*now);
        }
        if self.stuck.as_ref() == Some(&destination) {
            pending::<()>().await;
        }
        tokio::task::yield_now().await;
        self.open.lock().unwrap().get_mut(&destination).unwrap().0 -= 1;
        let mut refusals = self.refusals.lock().unwrap();
        if *refusals > 0 {
            *refusals -= 1;
            return Err(SendError::Later { reason: "busy".to_owned(), after: None });
        }
        self.received.lock().unwrap().push((destination, claimed.notification.event_id));
        Ok(Sending::Accepted(Answer("OK".to_owned())))
    }
}

/// Runs `workers` workers until the condition holds.
async fn run_until(
    fixture: &Fixture,
    provider: &Provider,
    workers: usize,
    what: &str,
    condition: impl AsyncFn() -> bool,
) {
    let (wakeup, stop) = (watch::Sender::new(()), CancellationToken::new());
    let mut running = JoinSet::new();
    for _ in 0..workers {
        let (notifications, provider) = (fixture.notifications.clone(), provider.clone());
        let (wakeup, stop) = (wakeup.subscribe(), stop.clone());
        running.spawn(async move {
            run_worker(&notifications, &provider, LIMITS, wakeup, &stop).await;
        });
    }
    eventually(what, || condition()).await;
    stop.cancel();
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test]
async fn concurrent_workers_send_each_notification_once() {
    let fixture = Fixture::new().await;
    let provider = Provider::new(ChannelName::Log);
    let inbox = WakingInbox { inbox: fixture.inbox(), wakeup: watch::Sender::new(()) };
    let events: Vec<PublishedEvent> = (0..60).map(|_| created(clock::new_order_id())).collect();
    for batch in events.chunks(7) {
        inbox.apply_batch(batch, &[]).await.unwrap();
        // The batch is delivered again, as if its offset was not committed.
        inbox.apply_batch(batch, &[]).await.unwrap();
    }
    run_until(&fixture, &provider, 3, "60 are sent", async || provider.events().len() >= 60).await;
    let got = provider.events();
    assert_eq!(got.len(), 60);
    assert_eq!(got.into_iter().collect::<HashSet<_>>().len(), 60);
    assert_eq!(state(&fixture, events[59].order_id).await, "sent");
}

#[tokio::test]
async fn concurrent_workers_send_the_notifications_of_an_order_in_sequence() {
    let fixture = Fixture::new().await;
    let provider = Provider::new(ChannelName::Log).refusing(25);
    let orders: Vec<_> = (0..40).map(|_| clock::new_order_id()).collect();
    let events: Vec<[PublishedEvent; 2]> =
        orders.iter().map(|&order| [created(order), cancelled(order)]).collect();
    fixture.receive(events.as_flattened()).await;
    run_until(&fixture, &provider, 3, "80 are sent", async || provider.events().len() >= 80).await;
    let got = provider.events();
    for [first, second] in &events {
        let pair = [first.event_id, second.event_id];
        let mine: Vec<_> = got.iter().copied().filter(|event| pair.contains(event)).collect();
        assert_eq!(mine, pair);
    }
}

#[tokio::test]
async fn a_provider_that_was_busy_receives_the_notification_later() {
    let fixture = Fixture::new().await;
    let provider = Provider::new(ChannelName::Log).refusing(1);
    let event = created(clock::new_order_id());
    fixture.receive(std::slice::from_ref(&event)).await;
    run_until(&fixture, &provider, 1, "the notification is sent", async || {
        state(&fixture, event.order_id).await == "sent"
    })
    .await;
    assert_eq!(provider.events(), [event.event_id]);
    let (_, list) = fixture.get(&format!("/api/notifications?orderId={}", event.order_id)).await;
    assert_eq!(list["items"][0]["attempts"], 2);
}

#[tokio::test]
async fn a_webhook_that_hangs_gets_two_calls_and_does_not_hold_up_the_others() {
    let fixture = Fixture::new().await;
    let mut webhooks = Vec::new();
    for n in 0..3_u128 {
        webhooks.push(fixture.add_webhook(n).await.to_string());
    }
    let events: Vec<PublishedEvent> = (0..50).map(|_| created(clock::new_order_id())).collect();
    fixture.receive(&events).await;
    let provider =
        Provider { stuck: Some(webhooks[0].clone()), ..Provider::new(ChannelName::Webhook) };
    let sent = || provider.received.lock().unwrap().len();
    let (wakeup, stop) = (watch::Sender::new(()), CancellationToken::new());
    let work = run_worker(&fixture.notifications, &provider, LIMITS, wakeup.subscribe(), &stop);
    let watch = eventually("the other webhooks have all events", async || sent() >= 100);
    tokio::select! {
        () = work => panic!("the worker ended"),
        () = watch => {}
    }
    assert_eq!(sent(), 100);
    let open = provider.open.lock().unwrap();
    assert_eq!(open[&webhooks[0]], (2, 2));
    assert!(open.values().all(|(_, most)| *most <= 2), "{open:?}");
}

#[tokio::test]
async fn a_worker_that_is_stopped_finishes_what_it_is_sending() {
    let fixture = Fixture::new().await;
    let events: Vec<PublishedEvent> = (0..10).map(|_| created(clock::new_order_id())).collect();
    fixture.receive(&events).await;
    let provider = Provider::new(ChannelName::Log);
    run_until(&fixture, &provider, 1, "one is sent", async || !provider.events().is_empty()).await;
    let (_, list) = fixture.get("/api/notifications?state=sent&limit=100").await;
    assert_eq!(list["items"].as_array().unwrap().len(), provider.events().len());
}

async fn state(fixture: &Fixture, order: domain::OrderId) -> Value {
    let (_, mut list) = fixture.get(&format!("/api/notifications?orderId={order}")).await;
    list["items"][0]["state"].take()
}
