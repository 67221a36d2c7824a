use std::collections::HashSet;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use application::inbox::Inbox;
use application::notification::{Channel, ChannelName, Notification, SendError};
use application::published::PublishedEvent;
use domain::EventId;
use notification::{WakingInbox, deliver};
use runtime::clock;
use serde_json::Value;
use test_support::eventually;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, cancelled, created};

/// A provider that records what it has received, and refuses the first `refusals` notifications.
#[derive(Debug, Clone, Default)]
struct Provider {
    received: Arc<Mutex<Vec<EventId>>>,
    refusals: Arc<Mutex<usize>>,
}

impl Channel for Provider {
    fn name(&self) -> ChannelName {
        ChannelName::Log
    }

    async fn send(&self, notification: &Notification) -> Result<(), SendError> {
        let mut refusals = self.refusals.lock().unwrap();
        if *refusals > 0 {
            *refusals -= 1;
            return Err(SendError::Later("busy".to_owned()));
        }
        self.received.lock().unwrap().push(notification.content.event_id);
        Ok(())
    }
}

#[tokio::test]
async fn concurrent_workers_send_each_notification_once() {
    let fixture = Fixture::new().await;
    let (provider, wakeup, stop) =
        (Provider::default(), Arc::new(Notify::new()), CancellationToken::new());
    let mut workers = JoinSet::new();
    for _ in 0..3 {
        let (notifications, provider) = (fixture.notifications.clone(), provider.clone());
        let (wakeup, stop) = (Arc::clone(&wakeup), stop.clone());
        workers.spawn(async move { deliver(&notifications, &provider, &wakeup, &stop).await });
    }

    let inbox = WakingInbox { inbox: fixture.inbox(), wakeup };
    let events: Vec<PublishedEvent> = (0..60).map(|_| created(clock::new_order_id())).collect();
    for batch in events.chunks(7) {
        inbox.apply_batch(batch, &[]).await.unwrap();
        // The batch is delivered again, as if its offset was not committed.
        inbox.apply_batch(batch, &[]).await.unwrap();
    }

    let last = events[59].order_id;
    for event in &events {
        eventually("the notification is sent", async || {
            state(&fixture, event.order_id).await == "sent"
        })
        .await;
    }
    stop.cancel();
    while let Some(ended) = workers.join_next().await {
        ended.unwrap();
    }
    let got = provider.received.lock().unwrap().clone();
    assert_eq!(got.len(), 60);
    assert_eq!(got.into_iter().collect::<HashSet<_>>().len(), 60);
    assert_eq!(state(&fixture, last).await, "sent");
}

#[tokio::test]
async fn concurrent_workers_send_the_notifications_of_an_order_in_sequence() {
    let fixture = Fixture::new().await;
    let provider = Provider { refusals: Arc::new(Mutex::new(25)), ..Provider::default() };
    let (wakeup, stop) = (Arc::new(Notify::new()), CancellationToken::new());
    let orders: Vec<_> = (0..40).map(|_| clock::new_order_id()).collect();
    let events: Vec<[PublishedEvent; 2]> =
        orders.iter().map(|&order| [created(order), cancelled(order)]).collect();
    fixture.receive(events.as_flattened()).await;

    let mut workers = JoinSet::new();
    for _ in 0..3 {
        let (notifications, provider) = (fixture.notifications.clone(), provider.clone());
        let (wakeup, stop) = (Arc::clone(&wakeup), stop.clone());
        workers.spawn(async move { deliver(&notifications, &provider, &wakeup, &stop).await });
    }
    eventually("80 are sent", async || provider.received.lock().unwrap().len() >= 80).await;
    stop.cancel();
    while let Some(ended) = workers.join_next().await {
        ended.unwrap();
    }
    let got = provider.received.lock().unwrap().clone();
    for [first, second] in &events {
        let mine: Vec<EventId> = got
            .iter()
            .copied()
            .filter(|event| [first.event_id, second.event_id].contains(event))
            .collect();
        assert_eq!(mine, [first.event_id, second.event_id]);
    }
}

#[tokio::test]
async fn a_provider_that_was_down_receives_the_notification_later() {
    let fixture = Fixture::new().await;
    let provider = Provider { refusals: Arc::new(Mutex::new(1)), ..Provider::default() };
    let (wakeup, stop) = (Notify::new(), CancellationToken::new());
    let event = created(clock::new_order_id());
    fixture.receive(std::slice::from_ref(&event)).await;

    let work = deliver(&fixture.notifications, &provider, &wakeup, &stop);
    let watch = async {
        eventually("the notification is sent", async || {
            state(&fixture, event.order_id).await == "sent"
        })
        .await;
        stop.cancel();
    };
    tokio::join!(work, watch);
    assert_eq!(*provider.received.lock().unwrap(), [event.event_id]);
    assert_eq!(*provider.refusals.lock().unwrap(), 0);
}

/// A provider that accepts 15 notifications and then never answers.
#[derive(Debug, Default)]
struct StuckProvider {
    received: AtomicUsize,
}

impl Channel for StuckProvider {
    fn name(&self) -> ChannelName {
        ChannelName::Log
    }

    async fn send(&self, _: &Notification) -> Result<(), SendError> {
        if self.received.fetch_add(1, Ordering::Relaxed) >= 15 {
            pending::<()>().await;
        }
        Ok(())
    }
}

#[tokio::test]
async fn long_messages_are_sent_in_claims_of_about_1_mib() {
    let fixture = Fixture::new().await;
    let reason = "x".repeat(100_000);
    let events: Vec<PublishedEvent> =
        (0..30).map(|_| test_support::cancelled(clock::new_order_id(), &reason)).collect();
    fixture.receive(&events).await;

    let (provider, wakeup, stop) =
        (StuckProvider::default(), Notify::new(), CancellationToken::new());
    let work = deliver(&fixture.notifications, &provider, &wakeup, &stop);
    let watch = eventually("the first claim ends, which has less than 15", async || {
        state(&fixture, events[0].order_id).await == "sent"
    });
    tokio::select! {
        () = work => panic!("the provider never answers"),
        () = watch => {}
    }
}

async fn state(fixture: &Fixture, order: domain::OrderId) -> Value {
    let (_, mut list) = fixture.get(&format!("/api/notifications?orderId={order}")).await;
    list["items"][0]["state"].take()
}
