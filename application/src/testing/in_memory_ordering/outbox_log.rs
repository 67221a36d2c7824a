use std::collections::HashSet;
use std::time::Duration;

use domain::ordering::{OrderEvent, OrderFact};
use domain::{EventId, OrderId, Timestamp};
use uuid::Uuid;

use super::InMemoryOrdering;
use crate::StoreError;
use crate::dead_letters::{DeadLetterState, KeptDeadLetter, RefusedEvent};
use crate::relay::{Backlog, CLAIM_BYTES, Claim, Outbox, OutboxRecord, Verdict};
use crate::testing::sample;

/// Maximum delay before a failed record is retried, in seconds.
pub(super) const MAX_DELAY: u64 = 64;

const LANES: u128 = 16;

/// An in-memory outbox: a log with lanes.
#[derive(Debug, Default)]
pub(super) struct OutboxLog {
    entries: Vec<Entry>,
    claimed: HashSet<i16>,
    last_claimed: i16,
    seconds: u64,
}

#[derive(Debug)]
struct Entry {
    record: OutboxRecord,
    /// When it was stored, in simulated seconds.
    recorded: u64,
    failures: u32,
    state: EntryState,
    refusal: Option<Refusal>,
}

/// The last time Kafka refused an event, and what was done about it.
#[derive(Debug)]
struct Refusal {
    kept_at: Timestamp,
    state: DeadLetterState,
    reason: String,
}

#[derive(Debug, PartialEq, Eq)]
enum EntryState {
    Unpublished { not_before: u64 },
    Published,
    Refused,
}

impl OutboxLog {
    pub(super) fn advance(&mut self, seconds: u64) {
        self.seconds += seconds;
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &OutboxRecord> {
        self.entries.iter().map(|entry| &entry.record)
    }

    pub(super) fn refused_events(&self) -> Vec<(EventId, String)> {
        let refused = self.entries.iter().filter(|entry| entry.state == EntryState::Refused);
        let why =
            |entry: &Entry| Some((entry.record.event_id, entry.refusal.as_ref()?.reason.clone()));
        refused.filter_map(why).collect()
    }

    pub(super) fn dead_letters(&self) -> Vec<KeptDeadLetter<EventId, RefusedEvent>> {
        let kept = |Entry { record, refusal, .. }: &Entry| {
            let Refusal { kept_at, state, reason } = refusal.as_ref()?;
            let content = RefusedEvent {
                aggregate_id: record.aggregate_id,
                aggregate_version: record.aggregate_version,
                event_type: record.event_type.clone(),
            };
            Some(KeptDeadLetter {
                id: record.event_id,
                content,
                reason: reason.clone(),
                kept_at: *kept_at,
                state: *state,
            })
        };
        self.entries.iter().filter_map(kept).collect()
    }

    /// Discards the event if it is an open dead letter. Returns whether it was.
    pub(super) fn discard(&mut self, event: EventId) -> bool {
        let at = self.now();
        let Some((_, refusal)) = self.open(event) else { return false };
        refusal.state = DeadLetterState::Discarded { at };
        true
    }

    /// Makes the event due again if it is an open dead letter. Returns whether it was.
    pub(super) fn make_due(&mut self, event: EventId) -> bool {
        let at = self.now();
        let Some((state, refusal)) = self.open(event) else { return false };
        refusal.state = DeadLetterState::Retried { at };
        *state = EntryState::Unpublished { not_before: 0 };
        true
    }

    /// Deletes what is known of retries before this time. A discarded event keeps its dead letter, which
    /// keeps it from being published.
    pub(super) fn delete_retried(&mut self, before: Timestamp, limit: usize) -> u64 {
        let mut deleted = 0;
        for Entry { refusal, .. } in &mut self.entries {
            let is_old = refusal.as_ref().is_some_and(
                |refusal| matches!(refusal.state, DeadLetterState::Retried { at } if at < before),
            );
            if is_old && deleted < limit {
                *refusal = None;
                deleted += 1;
            }
        }
        deleted as u64
    }

    fn open(&mut self, event: EventId) -> Option<(&mut EntryState, &mut Refusal)> {
        let entry = self.entries.iter_mut().find(|entry| entry.record.event_id == event)?;
        let refusal = entry.refusal.as_mut()?;
        (refusal.state == DeadLetterState::Open).then_some((&mut entry.state, refusal))
    }

    pub(super) fn now(&self) -> Timestamp {
        time(self.seconds)
    }

    pub(super) fn unprocessed(&self) -> usize {
        let unpublished = |entry: &&Entry| matches!(entry.state, EntryState::Unpublished { .. });
        self.entries.iter().filter(unpublished).count()
    }

    pub(super) fn delete_events(&mut self, order: OrderId) {
        self.entries.retain(|entry| entry.record.aggregate_id != order.get());
    }

    pub(super) fn orders_in_flight(&self) -> HashSet<OrderId> {
        let open = self.entries.iter().filter(|entry| entry.state != EntryState::Published);
        open.map(|entry| OrderId::new(entry.record.aggregate_id)).collect()
    }

    /// Makes an order's published events due again. Returns how many of its events are due.
    pub(super) fn publish_again(&mut self, order: OrderId) -> i64 {
        let mut due = 0;
        for entry in
            self.entries.iter_mut().filter(|entry| entry.record.aggregate_id == order.get())
        {
            if entry.state == EntryState::Published {
                entry.state = EntryState::Unpublished { not_before: 0 };
            }
            due += i64::from(matches!(entry.state, EntryState::Unpublished { .. }));
        }
        due
    }

    /// Makes what each lane has published due again, from the first event stored at or after `since`.
    /// Returns how many positions are read again.
    pub(super) fn rewind(&mut self, since: Option<Timestamp>) -> i64 {
        let mut rewound: HashSet<i16> = HashSet::new();
        let mut positions = 0;
        for Entry { record, recorded, state, .. } in &mut self.entries {
            if since.is_none_or(|since| time(*recorded) >= since) {
                rewound.insert(record.lane);
            }
            if rewound.contains(&record.lane) {
                positions += i64::from(!matches!(state, EntryState::Unpublished { .. }));
                if *state != EntryState::Refused {
                    *state = EntryState::Unpublished { not_before: 0 };
                }
            }
        }
        positions
    }

    pub(super) fn backlog(&self) -> Backlog {
        let mut backlog = Backlog::default();
        let mut failed: HashSet<Uuid> = HashSet::new();
        for Entry { record, recorded, failures, state, refusal } in &self.entries {
            let is_open = |refusal: &Refusal| refusal.state == DeadLetterState::Open;
            backlog.dead += u64::from(refusal.as_ref().is_some_and(is_open));
            if !matches!(state, EntryState::Unpublished { .. }) {
                continue;
            }
            backlog.unprocessed += 1;
            backlog.oldest = backlog.oldest.max(Duration::from_secs(self.seconds - recorded));
            if *failures > 0 {
                backlog.failed += 1;
                failed.insert(record.aggregate_id);
            } else if failed.contains(&record.aggregate_id) {
                backlog.held += 1;
            }
        }
        backlog
    }

    pub(super) fn append(&mut self, event: &OrderEvent) {
        let lane = lane_of(event.order_id);
        let before = self.records().filter(|record| record.lane == lane).count();
        let event_type = match &event.fact {
            OrderFact::Created(_) => "OrderCreated",
            OrderFact::Confirmed => "OrderConfirmed",
            OrderFact::Ready => "OrderReady",
            OrderFact::Completed => "OrderCompleted",
            OrderFact::Rejected(_) => "OrderRejected",
            OrderFact::CancellationRequested(_) => "OrderCancellationRequested",
            OrderFact::CancellationDeclined => "OrderCancellationDeclined",
            OrderFact::Cancelled(_) => "OrderCancelled",
            OrderFact::Redacted => "OrderRedacted",
        };
        let record = OutboxRecord {
            lane,
            position: i64::try_from(before).unwrap_or(i64::MAX),
            event_id: event.id,
            aggregate_id: event.order_id.get(),
            aggregate_version: event.version.get(),
            event_type: event_type.to_owned(),
            schema_fingerprint: Vec::new(),
            payload: format!("{:?}", event.fact).into_bytes(),
            headers: vec![("ce_id".to_owned(), event.id.to_string())],
            occurred_at: event.occurred_at,
        };
        let state = EntryState::Unpublished { not_before: 0 };
        self.entries.push(Entry {
            record,
            recorded: self.seconds,
            failures: 0,
            state,
            refusal: None,
        });
    }

    /// Claims records of the next lane that has some. Round-robin, so that a busy lane does not
    /// starve the others.
    fn claim(&mut self, limit: usize) -> Option<Vec<OutboxRecord>> {
        let lanes = i16::try_from(LANES).unwrap_or(i16::MAX);
        for turn in 1..=lanes {
            let lane = (self.last_claimed + turn) % lanes;
            if self.claimed.contains(&lane) {
                continue;
            }
            let due = self.due(lane, limit);
            if !due.is_empty() {
                self.claimed.insert(lane);
                self.last_claimed = lane;
                return Some(due);
            }
        }
        None
    }

    fn due(&self, lane: i16, limit: usize) -> Vec<OutboxRecord> {
        let mut held_back: HashSet<Uuid> = HashSet::new();
        let mut due: Vec<OutboxRecord> = Vec::new();
        let mut bytes = 0;
        for entry in self.entries.iter().filter(|entry| entry.record.lane == lane) {
            let EntryState::Unpublished { not_before } = entry.state else { continue };
            if not_before > self.seconds {
                held_back.insert(entry.record.aggregate_id);
            } else if !held_back.contains(&entry.record.aggregate_id)
                && due.len() < limit
                && bytes < CLAIM_BYTES
            {
                bytes += entry.record.payload.len();
                due.push(entry.record.clone());
            }
        }
        due
    }

    fn settle(&mut self, event: EventId, verdict: Verdict) {
        let (now, kept_at) = (self.seconds, self.now());
        let Some(entry) = self.entries.iter_mut().find(|e| e.record.event_id == event) else {
            return;
        };
        match verdict {
            Verdict::Unsent => {}
            Verdict::Published => entry.state = EntryState::Published,
            Verdict::Refused(reason) => {
                entry.state = EntryState::Refused;
                let state = DeadLetterState::Open;
                entry.refusal = Some(Refusal { kept_at, state, reason });
            }
            Verdict::Failed(_) => {
                let delay = 2_u64.saturating_pow(entry.failures).min(MAX_DELAY);
                entry.failures += 1;
                entry.state = EntryState::Unpublished { not_before: now + delay };
            }
        }
    }
}

fn time(seconds: u64) -> Timestamp {
    sample::at(u32::try_from(seconds).unwrap_or(u32::MAX))
}

fn lane_of(order: OrderId) -> i16 {
    i16::try_from(order.get().as_u128() % LANES).unwrap_or_default()
}

impl Outbox for InMemoryOrdering {
    type Claim = InMemoryClaim;

    async fn claim(&self, limit: usize) -> Result<Option<InMemoryClaim>, StoreError> {
        let records = self.lock().log.claim(limit);
        Ok(records.map(|records| InMemoryClaim { store: self.clone(), records }))
    }
}

/// Claimed records of one lane. No other claim can have this lane until this is settled or dropped.
#[derive(Debug)]
pub struct InMemoryClaim {
    store: InMemoryOrdering,
    records: Vec<OutboxRecord>,
}

impl Claim for InMemoryClaim {
    fn records(&self) -> &[OutboxRecord] {
        &self.records
    }

    async fn settle(self, verdicts: &[Verdict]) -> Result<(), StoreError> {
        let mut state = self.store.lock();
        for (record, verdict) in self.records.iter().zip(verdicts) {
            state.log.settle(record.event_id, verdict.clone());
        }
        Ok(())
    }
}

impl Drop for InMemoryClaim {
    fn drop(&mut self) {
        if let Some(record) = self.records.first() {
            self.store.lock().log.claimed.remove(&record.lane);
        }
    }
}
