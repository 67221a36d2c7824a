mod claim;
mod contacts;
mod record;
mod settle;
mod views;
mod webhooks;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{CustomerId, EventId, OrderId, OrderVersion, Timestamp};

use super::{
    DeadLetterFixture, InMemoryDeadLetters, NotificationFixture, sample, store_dead_letter,
};
use crate::StoreError;
use crate::dead_letters::DeadLetterNumber;
use crate::inbox::BatchOutcome;
use crate::notification::{
    Attempt, ClaimRequest, Claimed, Lease, Notice, Notification, NotificationFilter,
    NotificationId, NotificationState, Notifications, OrderCustomer, RecordNotices, Settled,
    StoredContact, Webhook, WebhookId,
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
    /// By number.
    entries: BTreeMap<i64, Entry>,
    recorded: i64,
    customers: BTreeMap<CustomerId, Customer>,
    orders: BTreeMap<OrderId, OrderCustomer>,
    webhooks: BTreeMap<WebhookId, Webhook>,
    seconds: u32,
}

#[derive(Debug)]
struct Entry {
    notification: Notification,
    lease: Option<Lease>,
    attempts: Vec<Attempt>,
}

/// A customer who has a contact or was erased.
#[derive(Debug, Default)]
struct Customer {
    contact: Option<StoredContact>,
    version: i64,
    erased: bool,
}

impl InMemoryNotifications {
    /// Advances the simulated time.
    pub fn advance(&self, seconds: u32) {
        self.lock().seconds += seconds;
    }

    /// The simulated time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.lock().now()
    }

    /// The stored dead letters, oldest first.
    #[must_use]
    pub fn stored_dead_letters(&self) -> Vec<DeadLetter> {
        self.dead.all()
    }

    pub(super) fn entries(&self) -> Vec<LedgerEntry> {
        let mut events: BTreeMap<OrderId, BTreeMap<EventId, OrderVersion>> = BTreeMap::new();
        for Entry { notification, .. } in self.lock().entries.values() {
            let order = events.entry(notification.order_id).or_default();
            order.insert(notification.event_id, notification.order_version);
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
    fn now(&self) -> Timestamp {
        sample::at(self.seconds)
    }
}

impl Entry {
    fn is_pending(&self) -> bool {
        matches!(self.notification.state, NotificationState::Pending { .. })
    }
}

impl Notifications for InMemoryNotifications {
    async fn record(
        &self,
        notices: &[Notice],
        letters: bool,
        dead: &[DeadLetter],
    ) -> Result<BatchOutcome, StoreError> {
        let mut state = self.lock();
        let applied = state.record_all(notices, letters);
        for letter in dead {
            self.dead.store_once(letter);
        }
        Ok(BatchOutcome {
            applied,
            repeated: notices.len() as u64 - applied,
            dead: dead.len() as u64,
            ..BatchOutcome::default()
        })
    }

    async fn claim(&self, request: ClaimRequest<'_>) -> Result<Vec<Claimed>, StoreError> {
        Ok(self.lock().claim(request))
    }

    async fn settle(&self, settled: &[Settled]) -> Result<u64, StoreError> {
        let mut state = self.lock();
        Ok(settled.iter().filter(|settled| state.settle(settled)).count() as u64)
    }

    async fn retry(
        &self,
        filter: &NotificationFilter,
        after: Option<NotificationId>,
        limit: usize,
    ) -> Result<Vec<NotificationId>, StoreError> {
        Ok(self.lock().retry(filter, after, limit))
    }

    async fn delete_settled(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        let mut deleted = 0;
        self.lock().entries.retain(|_, entry| {
            let deletes =
                !entry.is_pending() && entry.notification.recorded_at < before && deleted < limit;
            deleted += usize::from(deletes);
            !deletes
        });
        Ok(deleted as u64)
    }
}

impl NotificationFixture for InMemoryNotifications {
    type Notifications = Self;
    type Views = Self;
    type Customers = Self;
    type Webhooks = Self;

    fn notifications(&self) -> Self {
        self.clone()
    }

    fn views(&self) -> Self {
        self.clone()
    }

    fn customers(&self) -> Self {
        self.clone()
    }

    fn webhooks(&self) -> Self {
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
        let inbox = RecordNotices { notifications: self.clone(), letters: true };
        store_dead_letter(&inbox, &self.dead, n, version, reason).await
    }

    fn unknown_id(&self) -> DeadLetterNumber {
        DeadLetterNumber::new(i64::MAX)
    }
}
