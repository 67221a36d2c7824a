use std::collections::{HashMap, HashSet};
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use application::inbox::Inbox;
use application::notification::{
    Answer, Channel, ChannelName, ClaimRequest, Claimed, Lease, Notifications, Recipient,
    SendError, Sending, Suppression, Webhook, WebhookId, Webhooks,
};
use application::published::PublishedEvent;
use domain::{EventId, Timestamp};
use notification::{WakingInbox, run_worker};
use runtime::clock;
use serde_json::Value;
use test_support::eventually;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::fixture::{Fixture, LIMITS, cancelled, created, created_by};

/// A provider that records what it has received, and refuses the first `refusals` notifications.
#[derive(Debug, Clone)]
struct Provider {
    name: ChannelName,
    received: Arc<Mutex<Vec<(String, EventId)>>>,
    refusals: Arc<Mutex<usize>>,
    /// The destinations whose notifications are never answered.
    stuck: HashSet<String>,
    /// The calls that are open now, and the most that were, for each destination.
    open: Arc<Mutex<HashMap<String, (usize, usize)>>>,
}

impl Provider {
    fn new(name: ChannelName) -> Self {
        Self {
            name,
            received: Arc::default(),
            refusals: Arc::default(),
            stuck: HashSet::new(),
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
        if self.stuck.contains(&destination) {
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
        Provider { stuck: [webhooks[0].clone()].into(), ..Provider::new(ChannelName::Webhook) };
    work_until_received(&fixture, &provider, 100).await;
    let open = provider.open.lock().unwrap();
    assert_eq!(open[&webhooks[0]], (2, 2));
    assert!(open.values().all(|(_, most)| *most <= 2), "{open:?}");
}

#[tokio::test]
async fn webhooks_that_fail_and_hang_do_not_hold_up_a_healthy_one() {
    let fixture = Fixture::new().await;
    let id = fixture.add_webhook(0).await;
    let first = fixture.notifications.find(id).await.unwrap().unwrap();
    assert!(fixture.notifications.delete(id).await.unwrap());
    let mut failing = HashSet::new();
    for n in 1..=80 {
        let (id, since) = (WebhookId::new(Uuid::from_u128(n)), first.created_at);
        let webhook = Webhook { id, failing_since: Some(since), ..first.clone() };
        fixture.notifications.add(&webhook).await.unwrap();
        failing.insert(id.to_string());
    }
    fixture.receive(&[created(clock::new_order_id())]).await;
    let healthy = fixture.add_webhook(99).await.to_string();
    let events: Vec<PublishedEvent> = (0..20).map(|_| created(clock::new_order_id())).collect();
    fixture.receive(&events).await;
    let provider = Provider { stuck: failing, ..Provider::new(ChannelName::Webhook) };
    work_until_received(&fixture, &provider, 20).await;
    let open = provider.open.lock().unwrap();
    assert!(open[&healthy].1 <= 2, "{open:?}");
    assert_eq!(open.len(), 1 + 8, "half of all calls: {open:?}");
}

#[tokio::test]
async fn a_customer_with_many_letters_does_not_hold_up_the_others() {
    let fixture = Fixture::new().await;
    let by = |customer: &str| created_by(clock::new_order_id(), Some(customer));
    let many: Vec<_> = (0..200).map(|_| by("c-0")).collect();
    let others: Vec<_> = (1..=20).map(|n| by(&format!("c-{n}"))).collect();
    fixture.receive(&many).await;
    fixture.receive(&others).await;
    let stuck = ["c-0".to_owned()].into();
    let provider = Provider { stuck, ..Provider::new(ChannelName::Email) };
    work_until_received(&fixture, &provider, 20).await;
    assert_eq!(provider.open.lock().unwrap()["c-0"], (2, 2));
}

/// Accepts four calls. Further ones wait for the gate.
struct FourCalls {
    received: AtomicUsize,
    gate: CancellationToken,
    /// Whether it refuses the further ones.
    refuses: bool,
}

impl FourCalls {
    fn new(refuses: bool) -> Self {
        Self { received: AtomicUsize::new(0), gate: CancellationToken::new(), refuses }
    }

    fn received(&self) -> usize {
        self.received.load(Ordering::Relaxed)
    }
}

impl Channel for &FourCalls {
    fn name(&self) -> ChannelName {
        ChannelName::Webhook
    }

    async fn send(&self, claimed: &Claimed, _: Timestamp) -> Result<Sending, SendError> {
        if claimed.recipient == Recipient::Webhook(None) {
            return Ok(Sending::Suppressed(Suppression::Disabled));
        }
        if self.received.fetch_add(1, Ordering::Relaxed) < 4 {
            return Ok(Sending::Accepted(Answer("OK".to_owned())));
        }
        self.gate.cancelled().await;
        if self.refuses {
            return Err(SendError::Gone("HTTP 410".to_owned()));
        }
        Ok(Sending::Accepted(Answer("OK".to_owned())))
    }
}

/// A webhook with 30 calls. It is quick at first, so that its next calls are leased early.
async fn with_thirty_calls() -> Fixture {
    let fixture = Fixture::new().await;
    fixture.add_webhook(7).await;
    let events: Vec<PublishedEvent> = (0..30).map(|_| created(clock::new_order_id())).collect();
    fixture.receive(&events).await;
    fixture
}

/// Opens the gate when two calls wait for it. Either the worker `stops` then, or the calls are refused. Returns
/// how many calls were made.
async fn send_four_calls(fixture: &Fixture, stops: bool) -> usize {
    let channel = &FourCalls::new(!stops);
    let (wakeup, stop) = (watch::Sender::new(()), CancellationToken::new());
    let work = run_worker(&fixture.notifications, &channel, LIMITS, wakeup.subscribe(), &stop);
    let watch = async {
        eventually("two calls wait", async || channel.received() >= 6).await;
        if stops {
            stop.cancel();
            channel.gate.cancel();
            return;
        }
        channel.gate.cancel();
        let pending = "/api/notifications?channel=webhook&state=pending";
        eventually("all are settled", async || {
            fixture.get(pending).await.1["items"] == Value::Array(Vec::new())
        })
        .await;
        stop.cancel();
    };
    tokio::join!(work, watch);
    channel.received()
}

/// Leases all calls that are due.
async fn claim_all(fixture: &Fixture) -> Vec<Claimed> {
    let request = ClaimRequest {
        channel: ChannelName::Webhook,
        lease: Lease::new(Uuid::nil()),
        hold: Duration::from_mins(1),
        limit: 100,
        per_destination: 100,
        busy: &[],
        failing: 0,
    };
    fixture.notifications.claim(request).await.unwrap()
}

#[tokio::test]
async fn calls_that_wait_for_a_webhook_that_hangs_are_released_after_a_second() {
    let fixture = with_thirty_calls().await;
    let channel = &FourCalls::new(false);
    let (wakeup, stop) = (watch::Sender::new(()), CancellationToken::new());
    let work = run_worker(&fixture.notifications, &channel, LIMITS, wakeup.subscribe(), &stop);
    let elsewhere = AtomicUsize::new(0);
    let watch = async {
        eventually("two calls wait", async || channel.received() >= 6).await;
        eventually("another worker has leased all others", async || {
            let claimed = claim_all(&fixture).await.len();
            elsewhere.fetch_add(claimed, Ordering::Relaxed) + claimed == 24
        })
        .await;
    };
    tokio::select! {
        () = work => panic!("the worker ended"),
        () = watch => {}
    }
    assert_eq!(channel.received(), 6);
}

#[tokio::test]
async fn calls_that_wait_for_one_that_is_refused_are_not_begun() {
    let fixture = with_thirty_calls().await;
    assert_eq!(send_four_calls(&fixture, false).await, 6);
}

#[tokio::test]
async fn a_worker_that_is_stopped_releases_what_it_has_not_begun() {
    let fixture = with_thirty_calls().await;
    assert_eq!(send_four_calls(&fixture, true).await, 6);
    let rest = claim_all(&fixture).await;
    assert_eq!(rest.len(), 24);
    assert!(rest.iter().all(|one| !one.ran_out && one.notification.attempts == 0));
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

/// Runs a worker until the provider has received this many, and no more.
async fn work_until_received(fixture: &Fixture, provider: &Provider, count: usize) {
    let received = || provider.received.lock().unwrap().len();
    let (wakeup, stop) = (watch::Sender::new(()), CancellationToken::new());
    let work = run_worker(&fixture.notifications, provider, LIMITS, wakeup.subscribe(), &stop);
    tokio::select! {
        () = work => panic!("the worker ended"),
        () = eventually("the others have all of theirs", async || received() >= count) => {}
    }
    assert_eq!(received(), count);
}

async fn state(fixture: &Fixture, order: domain::OrderId) -> Value {
    let (_, mut list) = fixture.get(&format!("/api/notifications?orderId={order}")).await;
    list["items"][0]["state"].take()
}
