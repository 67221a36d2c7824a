use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use adapter_outbox::NewEvent;
use application::relay::OutboxRecord;
use sqlx::types::Uuid;

/// What really happened, kept apart from the database.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// Orders that were committed at least once.
    orders: Mutex<Vec<Uuid>>,
    /// Event → order and version.
    committed: Mutex<HashMap<Uuid, (Uuid, i64)>>,
    /// What Kafka got, in its order.
    published: Mutex<Vec<(Uuid, Uuid, i64)>>,
    /// Lane and position of what relays have in their hands.
    in_hand: Mutex<HashSet<(i16, i64)>>,
    pub(super) rolled_back: AtomicUsize,
    pub(super) slow: AtomicUsize,
    /// Slow transactions whose positions have many unused ones around them.
    pub(super) jumps: AtomicUsize,
    pub(super) conflicts: AtomicUsize,
    pub(super) crashes: AtomicUsize,
    pub(super) failures: AtomicUsize,
    pub(super) outages: AtomicUsize,
}

impl Model {
    pub(super) fn commit(&self, order: Uuid, events: &[NewEvent]) {
        let mut committed = self.committed.lock().unwrap();
        for &NewEvent { id: event, aggregate_version: version, .. } in events {
            committed.insert(event, (order, version));
            if version == 1 {
                self.orders.lock().unwrap().push(order);
            }
        }
    }

    /// How many events were committed.
    pub(super) fn events(&self) -> usize {
        self.committed.lock().unwrap().len()
    }

    /// One of the latest orders, so that writers meet.
    pub(super) fn any_order(&self, dice: &mut Dice) -> Option<Uuid> {
        let orders = self.orders.lock().unwrap();
        let hot = orders.len().min(40);
        (hot > 0).then(|| orders[orders.len() - 1 - dice.below(hot)])
    }

    pub(super) fn publish(&self, record: &OutboxRecord) {
        let (event, order) = (record.event_id.get(), record.aggregate_id);
        self.published.lock().unwrap().push((event, order, record.aggregate_version));
    }

    pub(super) fn take_in_hand(&self, records: &[OutboxRecord]) {
        let mut in_hand = self.in_hand.lock().unwrap();
        for record in records {
            let fresh = in_hand.insert((record.lane, record.position));
            assert!(fresh, "two relays hold {} {}", record.lane, record.position);
        }
    }

    pub(super) fn let_go(&self, records: &[OutboxRecord]) {
        let mut in_hand = self.in_hand.lock().unwrap();
        for record in records {
            in_hand.remove(&(record.lane, record.position));
        }
    }

    /// Nothing lost, nothing invented, nothing overtaken; and that all of it was put to the test.
    pub(super) fn verify(&self, dead: &[Uuid], gaps: i64) {
        let committed = self.committed.lock().unwrap();
        let published = self.published.lock().unwrap();
        let dead: HashSet<Uuid> = dead.iter().copied().collect();

        let mut first = HashSet::new();
        let mut firsts: BTreeMap<Uuid, Vec<i64>> = BTreeMap::new();
        for &(event, order, version) in published.iter() {
            assert_eq!(committed.get(&event), Some(&(order, version)), "a phantom");
            if first.insert(event) {
                firsts.entry(order).or_default().push(version);
            }
        }
        let lost: Vec<_> = committed
            .iter()
            .filter(|(event, _)| !first.contains(*event) && !dead.contains(*event))
            .collect();
        let overtaken: Vec<_> =
            firsts.iter().filter(|(_, versions)| !versions.is_sorted()).collect();
        let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        println!(
            "committed {} events of {} orders ({} rolled back, {} slow, {} of them in wide gaps, {} conflicts, {gaps} gaps); \
             published {} times ({} repeats, {} failures, {} outages, {} crashes, {} dead); \
             lost {}, overtaken {}",
            committed.len(),
            firsts.len(),
            count(&self.rolled_back),
            count(&self.slow),
            count(&self.jumps),
            count(&self.conflicts),
            published.len(),
            published.len() - first.len(),
            count(&self.failures),
            count(&self.outages),
            count(&self.crashes),
            dead.len(),
            lost.len(),
            overtaken.len(),
        );
        assert!(lost.is_empty(), "lost: {lost:?}");
        assert!(overtaken.is_empty(), "overtaken: {overtaken:?}");
        assert!(dead.iter().all(|event| committed.contains_key(event)), "a dead phantom");

        assert!(committed.len() > 500, "too little was written");
        assert!(committed.len() > 2 * firsts.len(), "orders were not changed again and again");
        assert!(gaps > 0, "no position was rolled back");
        for counter in [
            &self.rolled_back,
            &self.slow,
            &self.jumps,
            &self.crashes,
            &self.failures,
            &self.outages,
        ] {
            assert!(count(counter) > 0, "something was never tried");
        }
    }
}

/// Chance, the same for the same seed (xorshift64*).
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % bound
    }

    pub(super) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}
