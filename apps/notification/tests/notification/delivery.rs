use std::collections::HashSet;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use application::inbox::Inbox;
use application::notification::{Channel, ChannelName, Notification, SendError};
use application::published::PublishedEvent;
use domain::EventId;
use notification::{Waking, deliver};
use runtime::clock;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::house::{House, cancelled, created};

/// A provider that remembers what it got, and may be down for the first so many times.
#[derive(Debug, Clone, Default)]
struct Provider {
    got: Arc<Mutex<Vec<EventId>>>,
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
        self.got.lock().unwrap().push(notification.content.event_id);
        Ok(())
    }
}

#[tokio::test]
async fn workers_side_by_side_send_each_notification_once() {
    let house = House::open().await;
    let (provider, bell, stop) =
        (Provider::default(), Arc::new(Notify::new()), CancellationToken::new());
    let mut workers = JoinSet::new();
    for _ in 0..3 {
        let (notifications, provider) = (house.notifications.clone(), provider.clone());
        let (bell, stop) = (Arc::clone(&bell), stop.clone());
        workers.spawn(async move { deliver(&notifications, &provider, &bell, &stop).await });
    }

    let inbox = Waking { inbox: house.inbox(), bell };
    let events: Vec<PublishedEvent> = (0..60).map(|_| created(clock::new_order_id())).collect();
    for batch in events.chunks(7) {
        inbox.apply_batch(batch, &[]).await.unwrap();
        // As when an offset was not committed.
        inbox.apply_batch(batch, &[]).await.unwrap();
    }

    let last = events[59].order_id;
    for event in &events {
        until(async || state(&house, event.order_id).await == "sent").await;
    }
    stop.cancel();
    while let Some(ended) = workers.join_next().await {
        ended.unwrap();
    }
    let got = provider.got.lock().unwrap().clone();
    assert_eq!(got.len(), 60);
    assert_eq!(got.into_iter().collect::<HashSet<_>>().len(), 60);
    assert_eq!(state(&house, last).await, "sent");
}

#[tokio::test]
async fn workers_side_by_side_tell_each_customer_in_order() {
    let house = House::open().await;
    let provider = Provider { refusals: Arc::new(Mutex::new(25)), ..Provider::default() };
    let (bell, stop) = (Arc::new(Notify::new()), CancellationToken::new());
    let orders: Vec<_> = (0..40).map(|_| clock::new_order_id()).collect();
    let told: Vec<[PublishedEvent; 2]> =
        orders.iter().map(|&order| [created(order), cancelled(order)]).collect();
    house.told(told.as_flattened()).await;

    let mut workers = JoinSet::new();
    for _ in 0..3 {
        let (notifications, provider) = (house.notifications.clone(), provider.clone());
        let (bell, stop) = (Arc::clone(&bell), stop.clone());
        workers.spawn(async move { deliver(&notifications, &provider, &bell, &stop).await });
    }
    until(async || provider.got.lock().unwrap().len() >= 80).await;
    stop.cancel();
    while let Some(ended) = workers.join_next().await {
        ended.unwrap();
    }
    let got = provider.got.lock().unwrap().clone();
    for [first, second] in &told {
        let mine: Vec<EventId> = got
            .iter()
            .copied()
            .filter(|event| [first.event_id, second.event_id].contains(event))
            .collect();
        assert_eq!(mine, [first.event_id, second.event_id]);
    }
}

#[tokio::test]
async fn a_provider_that_is_down_gets_the_notification_when_it_is_back() {
    let house = House::open().await;
    let provider = Provider { refusals: Arc::new(Mutex::new(1)), ..Provider::default() };
    let (bell, stop) = (Notify::new(), CancellationToken::new());
    let event = created(clock::new_order_id());
    house.told(std::slice::from_ref(&event)).await;

    let work = deliver(&house.notifications, &provider, &bell, &stop);
    let watch = async {
        until(async || state(&house, event.order_id).await == "sent").await;
        stop.cancel();
    };
    tokio::join!(work, watch);
    assert_eq!(*provider.got.lock().unwrap(), [event.event_id]);
    assert_eq!(*provider.refusals.lock().unwrap(), 0);
}

async fn state(house: &House, order: domain::OrderId) -> Value {
    let (_, mut list) = house.get(&format!("/api/notifications?orderId={order}")).await;
    list["items"][0]["state"].take()
}

/// Waits until the condition holds.
async fn until<F: Future<Output = bool>>(condition: impl Fn() -> F) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("the condition never held");
}
