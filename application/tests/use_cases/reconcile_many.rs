use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use application::StoreError;
use application::reconcile::{
    Difference, DifferenceKind, Digest, LedgerEntry, LedgerPair, OrderLedger, OrderRange,
    PublishedLedger, Republished, Summary, reconcile,
};
use domain::{OrderId, OrderVersion, Timestamp};
use uuid::Uuid;

use crate::now;

/// 2026-01-30T22:00:00Z, in milliseconds.
const BEGIN: u64 = 1_769_810_400_000;

const HOUR: u64 = 3_600_000;

/// The time between two orders, in milliseconds.
const INTERVAL: u64 = 250;

/// A ledger of orders at version 1 that counts the entries read.
struct CountingLedger {
    orders: BTreeSet<OrderId>,
    rows_read: AtomicUsize,
}

impl CountingLedger {
    /// Four orders per second for three hours, before and after midnight.
    fn orders() -> BTreeSet<OrderId> {
        (0..3 * HOUR / INTERVAL).map(|n| placed_at(BEGIN + n * INTERVAL)).collect()
    }

    const fn of(orders: BTreeSet<OrderId>) -> Self {
        Self { orders, rows_read: AtomicUsize::new(0) }
    }

    fn read(&self, entries: Vec<LedgerEntry>) -> Vec<LedgerEntry> {
        self.rows_read.fetch_add(entries.len(), Ordering::Relaxed);
        entries
    }
}

fn placed_at(millis: u64) -> OrderId {
    OrderId::new(Uuid::from_u128(u128::from(millis) << 80 | 0x7000_8000_0000_0000_0001))
}

const fn entry(order_id: OrderId) -> LedgerEntry {
    LedgerEntry { order_id, version: OrderVersion::FIRST, events: 1 }
}

impl OrderLedger for CountingLedger {
    async fn digest(&self, range: OrderRange) -> Result<Digest, StoreError> {
        let orders = self.orders.range(range.from()..range.before());
        Ok(orders.fold(Digest::default(), |sum, order| {
            let hash = (order.get().as_u128() >> 80).cast_signed();
            let hash = i64::try_from(hash).unwrap().wrapping_mul(0x5851_f42d_4c95_7f2d);
            sum.and(Digest { orders: 1, hash })
        }))
    }

    async fn page(&self, range: OrderRange, limit: usize) -> Result<Vec<LedgerEntry>, StoreError> {
        let orders = self.orders.range(range.from()..range.before());
        Ok(self.read(orders.take(limit).copied().map(entry).collect()))
    }

    async fn find_all(&self, orders: &[OrderId]) -> Result<Vec<LedgerEntry>, StoreError> {
        let known = orders.iter().filter(|order| self.orders.contains(order));
        Ok(self.read(known.copied().map(entry).collect()))
    }
}

impl PublishedLedger for CountingLedger {
    async fn in_flight(&self, _: &[OrderId]) -> Result<Vec<OrderId>, StoreError> {
        Ok(Vec::new())
    }

    async fn republish(&self, _: &[OrderId]) -> Result<Vec<Republished>, StoreError> {
        Ok(Vec::new())
    }
}

fn differences(
    published: &CountingLedger,
    read_model: &CountingLedger,
) -> (Summary, Vec<Difference>) {
    let at = |millis: u64| Timestamp::from_micros(i64::try_from(millis * 1000).unwrap()).unwrap();
    let range = OrderRange::placed(at(BEGIN - 365 * 24 * HOUR), at(BEGIN + 365 * 24 * HOUR));
    let found = RefCell::new(Vec::new());
    let ledgers = LedgerPair { published, read_model };
    let summary = now(reconcile(
        &ledgers,
        range,
        Duration::ZERO,
        async |_| (),
        async |some| {
            found.borrow_mut().extend_from_slice(some);
            Ok(())
        },
    ));
    (summary.unwrap(), found.into_inner())
}

#[test]
fn a_few_differences_are_found_without_reading_all_orders() {
    let lost = [0, HOUR + 60_000, HOUR + 60_250, 2 * HOUR, 3 * HOUR - INTERVAL];
    let lost: BTreeSet<OrderId> = lost.into_iter().map(|at| placed_at(BEGIN + at)).collect();
    let extra = placed_at(BEGIN + HOUR + 900_001);
    let published = CountingLedger::of(CountingLedger::orders());
    let mut known = CountingLedger::orders();
    known.retain(|order| !lost.contains(order));
    known.insert(extra);
    let read_model = CountingLedger::of(known);

    let (summary, found) = differences(&published, &read_model);
    let of_kind = |kind| {
        let some = found.iter().filter(move |one: &&Difference| one.kind() == kind);
        some.map(|one| one.order_id).collect::<Vec<_>>()
    };
    assert!(of_kind(DifferenceKind::Missing).into_iter().eq(lost), "{found:?}");
    assert_eq!(of_kind(DifferenceKind::Extra), [extra]);
    assert!(found.is_sorted_by_key(|one| one.order_id));
    assert_eq!((summary.published, summary.known), (43_200, 43_196));
    let rows = published.rows_read.into_inner() + read_model.rows_read.into_inner();
    assert!(rows < 2_500, "expected to read five minutes with 240 orders each, not {rows} orders");
}

#[test]
fn every_order_of_an_empty_read_model_is_reported() {
    let (published, read_model) =
        (CountingLedger::of(CountingLedger::orders()), CountingLedger::of(BTreeSet::new()));
    let (summary, found) = differences(&published, &read_model);
    assert_eq!(summary.missing, 43_200);
    assert!(found.iter().map(|one| one.order_id).eq(published.orders));
}
