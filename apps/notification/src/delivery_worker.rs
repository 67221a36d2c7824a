mod leases;

use std::collections::HashSet;
use std::pin::Pin;
use std::time::Duration;

use application::StoreError;
use application::notification::{
    Channel, ChannelName, ClaimRequest, Claimed, Lease, Notifications, SendOutcome, Settled,
    deliver,
};
use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use runtime::{Backoff, Outage, clock, one_line};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::leases::Leases;
use crate::delivery_metrics;

/// How long a lease holds.
const HOLD: Duration = Duration::from_secs(90);

/// How old a lease may be when sending begins: an attempt takes at most 30 s, and its result must be
/// stored while the lease holds.
const LATEST_START: Duration = Duration::from_secs(50);

/// How long a notification that is leased waits for its turn. The receiver is known from the claim: a webhook that
/// was changed or deleted meanwhile gets no call later than this.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// How long the worker waits if nothing is due and it is not woken.
const IDLE_WAIT: Duration = Duration::from_secs(1);

/// How long the worker rests after a claim that found nothing. Each event wakes all workers, and most events
/// concern only some of them.
const EMPTY_REST: Duration = Duration::from_millis(100);

/// The worker does not rest after a turn with this many notifications: each of them has cost little.
const MANY: usize = 8;

/// How long attempts in progress may still take after the shutdown was requested. The leases of those that
/// take longer run out.
const DRAIN: Duration = Duration::from_secs(8);

/// The waits while the store fails, or while the provider cannot be reached.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(5));

/// How much a worker does at the same time.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Notifications that are sent.
    pub at_once: usize,
    /// Notifications that are sent to one customer or webhook.
    pub per_destination: usize,
    /// Notifications that are leased: those that are sent, and the next ones of quick webhooks.
    pub leased: usize,
    /// Notifications that are leased for one customer, or for one webhook that is quick.
    pub leased_per_destination: usize,
    /// How long the worker rests after it has used the store for few notifications, so that it settles
    /// and claims several at once. After a pause, the first one is claimed at once.
    pub rest: Duration,
}

/// Sends due notifications on the channel until `shutdown` is cancelled, many at a time. Retries if the
/// store fails. `wakeup` changes when notifications were recorded.
pub async fn run_worker<S: Notifications, C: Channel>(
    notifications: &S,
    channel: &C,
    limits: Limits,
    mut wakeup: watch::Receiver<()>,
    shutdown: &CancellationToken,
) {
    // The work is boxed below so that callers' futures stay small.
    let mut worker = Worker::new(notifications, channel, limits, shutdown);
    let mut next_claim = Instant::now();
    while !shutdown.is_cancelled() {
        // Results are stored and notifications are claimed together, with a rest in between.
        let claim_at = next_claim.max(worker.paused_until);
        let claims = worker.has_room() || !worker.done.is_empty();
        let turn = if worker.done.is_empty() { claim_at } else { worker.rested_at };
        tokio::select! {
            biased;
            Some(sent) = worker.sending.next() => worker.done.push(sent),
            () = sleep_until(turn.max(worker.rested_at)), if claims => {
                let mut has_more = worker.done.len() >= MANY;
                if !worker.done.is_empty() {
                    Box::pin(worker.settle()).await;
                }
                // After a settlement, the next notifications of the same orders may be due.
                let mut rest = limits.rest;
                if worker.has_room() && Instant::now() >= worker.paused_until {
                    let Found { count, full, receiver_full } = Box::pin(worker.claim()).await;
                    next_claim = Instant::now() + if full { Duration::ZERO } else { IDLE_WAIT };
                    has_more |= count >= MANY || receiver_full;
                    if count == 0 && worker.sending.is_empty() {
                        rest = EMPTY_REST;
                    }
                }
                worker.rested_at = Instant::now() + if has_more { Duration::ZERO } else { rest };
            }
            Ok(()) = wakeup.changed() => next_claim = Instant::now(),
            () = shutdown.cancelled() => {}
        }
    }
    if timeout(DRAIN, Box::pin(worker.drain())).await.is_err() {
        let left = worker.leases.len();
        tracing::warn!("{left} notifications were not sent in time; sending them again later");
    }
}

/// The result of a claim.
#[derive(Debug, Clone, Copy, Default)]
struct Found {
    count: usize,
    /// Others may be due that this claim did not look at.
    full: bool,
    /// A receiver of these has as many as it may have, so others may be due for it.
    receiver_full: bool,
}

/// The end of sending.
struct Sent {
    settled: Settled,
    /// Whether sending began. If not, the lease is only released.
    began: bool,
}

/// Notifications that are being sent.
type Sending<'a> = FuturesUnordered<Pin<Box<dyn Future<Output = Sent> + Send + 'a>>>;

/// The state of a worker.
struct Worker<'a, S, C> {
    notifications: &'a S,
    channel: &'a C,
    limits: Limits,
    shutdown: &'a CancellationToken,
    sending: Sending<'a>,
    /// What was sent and is not settled.
    done: Vec<Sent>,
    leases: Leases,
    store: Outage,
    provider: Outage,
    backoff: Backoff,
    /// Until when nothing is claimed, because of a failure.
    paused_until: Instant,
    /// When the worker may use the store again.
    rested_at: Instant,
}

/// What cannot be reached in an outage of the channel.
const fn provider(channel: ChannelName) -> &'static str {
    match channel {
        ChannelName::Log => "the log",
        ChannelName::Email => "the mail server",
        ChannelName::Webhook => "webhooks",
    }
}

impl<'a, S: Notifications, C: Channel> Worker<'a, S, C> {
    fn new(
        notifications: &'a S,
        channel: &'a C,
        limits: Limits,
        shutdown: &'a CancellationToken,
    ) -> Self {
        delivery_metrics::describe();
        Self {
            notifications,
            channel,
            limits,
            shutdown,
            sending: FuturesUnordered::new(),
            done: Vec::new(),
            leases: Leases::new(channel.name(), limits),
            store: Outage::of("the database of notifications"),
            provider: Outage::of(provider(channel.name())),
            backoff: BACKOFF,
            paused_until: Instant::now(),
            rested_at: Instant::now(),
        }
    }

    fn name(&self) -> ChannelName {
        self.channel.name()
    }

    fn has_room(&self) -> bool {
        self.leases.room() > 0
    }

    fn pause(&mut self) {
        self.paused_until = Instant::now() + self.backoff.after_failure();
    }

    /// Claims notifications and starts to send them.
    async fn claim(&mut self) -> Found {
        let (limit, busy) = (self.leases.room(), self.leases.busy());
        let request = ClaimRequest {
            channel: self.name(),
            lease: Lease::new(Uuid::from_u128(clock::random())),
            hold: HOLD,
            limit,
            per_destination: self.limits.per_destination,
            busy: &busy,
            failing: self.leases.failing_room(),
        };
        let since = Instant::now();
        let claim = self.notifications.claim(request);
        let claimed = match alongside(&mut self.sending, &mut self.done, claim).await {
            Ok(claimed) => claimed,
            Err(error) => {
                self.report_store(&error);
                return Found::default();
            }
        };
        self.store.report_success();
        delivery_metrics::claimed(self.name(), &claimed);
        let count = claimed.len();
        let receivers: HashSet<String> =
            claimed.iter().map(|one| one.notification.destination.clone()).collect();
        for claimed in claimed {
            self.start(claimed, since);
        }
        delivery_metrics::in_flight(self.name(), self.leases.len());
        self.leases.forget_idle_receivers();
        let receiver_full = receivers.iter().any(|one| self.leases.is_full(one));
        // The letters of one customer can have hidden those of others.
        let others_hidden = receiver_full && self.name() == ChannelName::Email;
        Found { count, full: count == limit || others_hidden, receiver_full }
    }

    /// Sends a notification that was leased at this time, as soon as its receiver may get another one.
    fn start(&mut self, claimed: Claimed, since: Instant) {
        let turn = self.leases.add(&claimed);
        let (channel, shutdown) = (self.channel, self.shutdown);
        self.sending.push(Box::pin(async move {
            let begin = timeout(LONGEST_WAIT, turn.begin());
            let permits = shutdown.run_until_cancelled(begin).await;
            let may_begin = since.elapsed() < LATEST_START && !shutdown.is_cancelled();
            let Some(Ok(Some(_permits))) = permits.filter(|_| may_begin) else {
                return Sent { settled: not_begun(&claimed), began: false };
            };
            let settled = deliver(channel, &claimed, clock::now).await;
            turn.end(&settled);
            Sent { settled, began: true }
        }));
    }

    /// Stores the results that are there. Retries if the store fails: what is not stored while the lease
    /// holds is sent again.
    async fn settle(&mut self) {
        while let Some(Some(sent)) = self.sending.next().now_or_never() {
            self.done.push(sent);
        }
        let ended = std::mem::take(&mut self.done);
        let settled: Vec<Settled> = ended.iter().map(|one| one.settled.clone()).collect();
        let lost_at = Instant::now() + HOLD / 2;
        loop {
            let settle = self.notifications.settle(&settled);
            match alongside(&mut self.sending, &mut self.done, settle).await {
                Ok(_) => break,
                Err(error) => self.report_store(&error),
            }
            if self.shutdown.is_cancelled() || Instant::now() > lost_at {
                break;
            }
            let pause = self.shutdown.run_until_cancelled(sleep_until(self.paused_until));
            alongside(&mut self.sending, &mut self.done, pause).await;
        }
        for one in &ended {
            self.leases.end(&one.settled);
        }
        let attempted: Vec<Settled> =
            ended.into_iter().filter(|one| one.began).map(|one| one.settled).collect();
        for one in &attempted {
            self.report_provider(one);
        }
        delivery_metrics::settled(self.name(), &attempted);
        delivery_metrics::in_flight(self.name(), self.leases.len());
    }

    /// Waits for the attempts in progress, and stores their results.
    async fn drain(&mut self) {
        while let Some(sent) = self.sending.next().await {
            self.done.push(sent);
            self.settle().await;
        }
        if !self.done.is_empty() {
            self.settle().await;
        }
    }

    fn report_store(&mut self, error: &StoreError) {
        if error.is_unavailable() {
            self.store.report_failure(&one_line(error));
        } else {
            let error = one_line(error);
            tracing::error!("cannot claim or settle notifications; retrying: {error}");
        }
        self.pause();
    }

    /// An outage of the provider concerns all notifications of the channel, so nothing is claimed for a
    /// while.
    fn report_provider(&mut self, settled: &Settled) {
        if let Some(why) = settled.outage() {
            self.provider.report_failure(why);
            self.pause();
        } else if settled.attempt.is_some() {
            self.provider.report_success();
            self.backoff.reset();
        }
    }
}

/// Releases the lease: the notification is due again at once.
fn not_begun(claimed: &Claimed) -> Settled {
    let reason = "sending has not begun in time, or the service was stopped".to_owned();
    Settled {
        id: claimed.notification.id,
        lease: claimed.lease,
        outcome: SendOutcome::Later { reason, delay: Duration::ZERO },
        attempt: None,
        endpoint: None,
    }
}

/// Does this work while notifications are being sent. Their results go to `done`.
async fn alongside<T>(
    sending: &mut Sending<'_>,
    done: &mut Vec<Sent>,
    work: impl Future<Output = T>,
) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            biased;
            result = &mut work => return result,
            Some(sent) = sending.next() => done.push(sent),
        }
    }
}
