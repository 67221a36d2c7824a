use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{EventId, OrderId, OrderVersion, Timestamp};

use super::{
    DeadLetterFixture, InMemoryDeadLetters, NotificationFixture, sample, store_dead_letter,
};
use crate::StoreError;
use crate::dead_letters::DeadLetterNumber;
use crate::inbox::BatchOutcome;
use crate::notification::{
    ChannelName, ClaimLimit, NewNotification, Notification, NotificationClaim, NotificationState,
    NotificationViews, Notifications, NotifyCustomer, SendOutcome,
};
use crate::published::DeadLetter;
use crate::reconcile::LedgerEntry;

/// An in-memory store of notifications, for tests.
///
/// Clones share one store. Time is simulated: it changes only in [`Self::advance`].
#[derive(Debug, Clone, Default)]
pub struct InMemoryNotifications {
    shared: Arc<Mutex<State>>,
    dead: InMemoryDeadLetters,
}

#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<usize, Entry>,
    recorded: usize,
    claimed: HashSet<usize>,
    seconds: u32,
}

#[derive(Debug)]
struct Entry {
    notification: Notification,
    not_before: u32,
}

impl InMemoryNotifications {
    /// Advances the simulated time.
    pub fn advance(&self, seconds: u32) {
        self.lock().seconds += seconds;
    }

    /// The stored dead letters, oldest first.
    #[must_use]
    pub fn stored_dead_letters(&self) -> Vec<DeadLetter> {
        self.dead.all()
    }

    pub(super) fn entries(&self) -> Vec<LedgerEntry> {
        let mut events: BTreeMap<OrderId, BTreeMap<EventId, OrderVersion>> = BTreeMap::new();
        for Entry { notification: Notification { content, .. }, .. } in self.lock().entries.values()
        {
            let order = events.entry(content.order_id).or_default();
            order.insert(content.event_id, content.order_version);
        }
        let entry = |(order_id, events): (OrderId, BTreeMap<EventId, OrderVersion>)| {
            let version = *events.values().max()?;
            let events = i64::try_from(events.len()).unwrap_or(i64::MAX);
            Some(LedgerEntry { order_id, version, events })
        };
        events.into_iter().filter_map(entry).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn record(&mut self, new: &NewNotification) -> bool {
        let known = |entry: &Entry| {
            let content = &entry.notification.content;
            content.event_id == new.event_id && content.channel == new.channel
        };
        if self.entries.values().any(known) {
            return false;
        }
        let notification = Notification {
            content: new.clone(),
            state: NotificationState::Pending { attempts: 0 },
            recorded_at: sample::at(self.seconds),
        };
        self.entries.insert(self.recorded, Entry { notification, not_before: 0 });
        self.recorded += 1;
        true
    }

    /// Whether no earlier notification of the same order and channel is pending.
    fn is_first_pending(&self, index: usize) -> bool {
        let position =
            |index: usize| (self.entries[&index].notification.content.order_version, index);
        let content = &self.entries[&index].notification.content;
        self.entries.iter().all(|(&other, Entry { notification, .. })| {
            notification.content.order_id != content.order_id
                || notification.content.channel != content.channel
                || !matches!(notification.state, NotificationState::Pending { .. })
                || position(other) >= position(index)
        })
    }

    fn settle(&mut self, index: usize, outcome: &SendOutcome) {
        let now = self.seconds;
        let Some(Entry { notification, not_before }) = self.entries.get_mut(&index) else {
            return;
        };
        match outcome {
            SendOutcome::Sent => {
                notification.state = NotificationState::Sent { at: sample::at(now) };
            }
            SendOutcome::Failed(reason) => {
                notification.state = NotificationState::Failed { reason: reason.clone() };
            }
            SendOutcome::Later { delay, .. } => {
                if let NotificationState::Pending { attempts } = &mut notification.state {
                    *not_before = now + u32::try_from(delay.as_secs()).unwrap_or(u32::MAX);
                    *attempts += 1;
                }
            }
        }
    }
}

impl Notifications for InMemoryNotifications {
    type Claim = InMemoryNotificationClaim;

    async fn record(
        &self,
        new: &[NewNotification],
        dead: &[DeadLetter],
    ) -> Result<BatchOutcome, StoreError> {
        let mut state = self.lock();
        let mut outcome = BatchOutcome { dead: dead.len() as u64, ..BatchOutcome::default() };
        for new in new {
            if state.record(new) {
                outcome.applied += 1;
            } else {
                outcome.repeated += 1;
            }
        }
        for letter in dead {
            self.dead.store_once(letter);
        }
        Ok(outcome)
    }

    async fn claim(
        &self,
        channel: ChannelName,
        limit: ClaimLimit,
    ) -> Result<Option<InMemoryNotificationClaim>, StoreError> {
        let mut state = self.lock();
        let due = |(index, entry): &(&usize, &Entry)| {
            entry.notification.content.channel == channel
                && matches!(entry.notification.state, NotificationState::Pending { .. })
                && entry.not_before <= state.seconds
                && !state.claimed.contains(index)
                && state.is_first_pending(**index)
        };
        let mut bytes = 0;
        let fits = |(place, (_, entry)): &(usize, (&usize, &Entry))| {
            bytes += entry.notification.content.message.len();
            *place == 0 || bytes <= limit.bytes
        };
        let (indices, notifications): (Vec<usize>, Vec<Notification>) = state
            .entries
            .iter()
            .filter(due)
            .take(limit.notifications)
            .enumerate()
            .take_while(fits)
            .map(|(_, due)| due)
            .map(|(&index, entry)| (index, entry.notification.clone()))
            .unzip();
        if indices.is_empty() {
            return Ok(None);
        }
        state.claimed.extend(&indices);
        Ok(Some(InMemoryNotificationClaim { store: self.clone(), indices, notifications }))
    }

    async fn delete_settled(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        let mut deleted = 0;
        self.lock().entries.retain(|_, Entry { notification, .. }| {
            let is_settled = !matches!(notification.state, NotificationState::Pending { .. });
            let deletes = is_settled && notification.recorded_at < before && deleted < limit;
            deleted += usize::from(deletes);
            !deletes
        });
        Ok(deleted as u64)
    }
}

/// Claimed notifications. No other claim can contain them until this is settled or dropped.
#[derive(Debug)]
pub struct InMemoryNotificationClaim {
    store: InMemoryNotifications,
    indices: Vec<usize>,
    notifications: Vec<Notification>,
}

impl NotificationClaim for InMemoryNotificationClaim {
    fn notifications(&self) -> &[Notification] {
        &self.notifications
    }

    async fn settle(self, outcomes: &[SendOutcome]) -> Result<(), StoreError> {
        let mut state = self.store.lock();
        for (&index, outcome) in self.indices.iter().zip(outcomes) {
            state.settle(index, outcome);
        }
        Ok(())
    }
}

impl Drop for InMemoryNotificationClaim {
    fn drop(&mut self) {
        let mut state = self.store.lock();
        for index in &self.indices {
            state.claimed.remove(index);
        }
    }
}

impl NotificationViews for InMemoryNotifications {
    async fn of_order(&self, id: OrderId) -> Result<Vec<Notification>, StoreError> {
        let state = self.lock();
        let all = state.entries.values().map(|entry| &entry.notification);
        Ok(all.filter(|notification| notification.content.order_id == id).cloned().collect())
    }
}

impl NotificationFixture for InMemoryNotifications {
    type Notifications = Self;
    type Views = Self;

    fn notifications(&self) -> Self {
        self.clone()
    }

    fn views(&self) -> Self {
        self.clone()
    }

    async fn dead_letters(&self) -> Vec<DeadLetter> {
        self.stored_dead_letters()
    }

    async fn let_delays_pass(&self) {
        self.advance(3600);
    }
}

impl DeadLetterFixture for InMemoryNotifications {
    type DeadLetters = InMemoryDeadLetters;

    fn dead_letter_port(&self) -> InMemoryDeadLetters {
        self.dead.clone()
    }

    async fn add_dead_letter(&self, n: u32, version: u32, reason: &str) -> DeadLetterNumber {
        let inbox =
            NotifyCustomer { notifications: self.clone(), channels: vec![ChannelName::Log] };
        store_dead_letter(&inbox, &self.dead, n, version, reason).await
    }

    fn unknown_id(&self) -> DeadLetterNumber {
        DeadLetterNumber::new(i64::MAX)
    }
}
