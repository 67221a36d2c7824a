use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use application::notification::{
    Busy, ChannelName, Claimed, NotificationId, Recipient, SendOutcome, Settled,
};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::Limits;

/// A webhook that accepts calls in this time gets its next calls without a claim in between.
const QUICK: Duration = Duration::from_millis(100);

/// What a worker has leased, and what it may lease and send beyond that.
pub(super) struct Leases {
    limits: Limits,
    channel: ChannelName,
    leased: HashMap<NotificationId, Leased>,
    /// Permits to send.
    permits: Arc<Semaphore>,
    /// The receivers of what is leased. There are none for a channel with one receiver.
    receivers: HashMap<String, Receiver>,
}

/// A notification that is leased.
struct Leased {
    destination: String,
    /// Whether it is for a webhook whose calls fail.
    is_failing: bool,
}

/// A receiver of notifications that are leased.
struct Receiver {
    /// Permits to send to it. Closed after an attempt has failed.
    permits: Arc<Semaphore>,
    leased: usize,
    /// Whether its last call was accepted at once.
    is_quick: bool,
}

/// The place of a notification among those that are leased.
pub(super) struct Turn {
    receiver: Option<Arc<Semaphore>>,
    all: Arc<Semaphore>,
}

impl Leases {
    pub(super) fn new(channel: ChannelName, limits: Limits) -> Self {
        let permits = Arc::new(Semaphore::new(limits.at_once));
        Self { limits, channel, leased: HashMap::new(), permits, receivers: HashMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.leased.len()
    }

    /// How many notifications may be leased now. While all that may be sent at once are being sent, a
    /// further one would have to wait for them.
    pub(super) fn room(&self) -> usize {
        let Limits { at_once, leased, .. } = self.limits;
        let for_each_permit = leased.div_ceil(at_once);
        let startable = self.permits.available_permits() * for_each_permit;
        leased.saturating_sub(self.leased.len()).min(startable)
    }

    /// How many calls of webhooks that fail may be leased now: half of what is sent at once, so that others
    /// always have the other half.
    pub(super) fn failing_room(&self) -> usize {
        let leased = self.leased.values().filter(|one| one.is_failing).count();
        self.limits.at_once.div_ceil(2).saturating_sub(leased)
    }

    /// What the receivers have, and may have.
    pub(super) fn busy(&self) -> Vec<Busy> {
        let busy = |(destination, receiver): (&String, &Receiver)| Busy {
            destination: destination.clone(),
            leased: receiver.leased,
            most: self.most(receiver),
        };
        self.receivers.iter().map(busy).collect()
    }

    /// Whether this receiver has as many as it may have.
    pub(super) fn is_full(&self, destination: &str) -> bool {
        let receiver = self.receivers.get(destination);
        receiver.is_some_and(|receiver| receiver.leased >= self.most(receiver))
    }

    fn most(&self, receiver: &Receiver) -> usize {
        if receiver.is_quick {
            self.limits.leased_per_destination
        } else {
            self.limits.per_destination
        }
    }

    /// Adds what was claimed.
    pub(super) fn add(&mut self, claimed: &Claimed) -> Turn {
        let destination = claimed.notification.destination.clone();
        let is_failing = matches!(&claimed.recipient, Recipient::Webhook(Some(endpoint))
                                  if endpoint.failing_since.is_some());
        let receiver = self.receiver(&destination).map(|receiver| {
            receiver.leased += 1;
            Arc::clone(&receiver.permits)
        });
        self.leased.insert(claimed.notification.id, Leased { destination, is_failing });
        Turn { receiver, all: Arc::clone(&self.permits) }
    }

    /// The receiver, if the channel has several.
    fn receiver(&mut self, destination: &str) -> Option<&mut Receiver> {
        if self.channel == ChannelName::Log {
            return None;
        }
        let permits = self.limits.per_destination;
        let receiver = self.receivers.entry(destination.to_owned()).or_insert_with(|| Receiver {
            permits: Arc::new(Semaphore::new(permits)),
            leased: 0,
            is_quick: false,
        });
        Some(receiver)
    }

    /// Removes a lease that has ended, and remembers whether its receiver was quick.
    pub(super) fn end(&mut self, settled: &Settled) {
        let Some(Leased { destination, .. }) = self.leased.remove(&settled.id) else { return };
        let Some(receiver) = self.receivers.get_mut(&destination) else { return };
        receiver.leased -= 1;
        let attempt = settled.attempt.as_ref();
        receiver.is_quick = attempt.is_some_and(|one| one.accepted && one.duration <= QUICK);
        if receiver.permits.is_closed() {
            receiver.permits = Arc::new(Semaphore::new(self.limits.per_destination));
        }
    }

    /// Forgets the receivers without a lease.
    pub(super) fn forget_idle_receivers(&mut self) {
        self.receivers.retain(|_, receiver| receiver.leased > 0);
    }
}

impl Turn {
    /// Waits until the receiver, and the worker, may send one more. `None` if an attempt to send something to
    /// the receiver has failed meanwhile.
    pub(super) async fn begin(&self) -> Option<(Option<SemaphorePermit<'_>>, SemaphorePermit<'_>)> {
        let receiver = match &self.receiver {
            Some(receiver) => Some(receiver.acquire().await.ok()?),
            None => None,
        };
        Some((receiver, self.all.acquire().await.ok()?))
    }

    /// If the attempt has failed, those that wait for the receiver are not begun: it may be gone.
    pub(super) fn end(&self, settled: &Settled) {
        let failed = matches!(settled.outcome, SendOutcome::Later { .. } | SendOutcome::Failed(_));
        if let Some(receiver) = self.receiver.as_ref().filter(|_| failed) {
            receiver.close();
        }
    }
}
