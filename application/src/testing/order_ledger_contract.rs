//! Contract of [`OrderLedger`]: the same events give the same entries and digests, in whatever
//! sequence they arrived. The digests of parts add up to the digest of the whole.

#![allow(missing_docs, reason = "each test name is a sentence")]

use domain::{OrderId, OrderVersion};

use super::{LedgerFixture, sample};
use crate::reconcile::{Digest, LedgerEntry, OrderLedger, OrderRange};

/// Makes one `#[test]` per test function of [`order_ledger_contract`](self): `(run, fixture)`.
#[macro_export]
macro_rules! order_ledger_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, order_ledger_contract:
            an_empty_ledger_has_the_empty_digest,
            an_order_has_one_entry_for_any_number_of_events,
            the_digest_does_not_depend_on_the_sequence_of_orders,
            a_further_event_changes_the_digest,
            digests_of_the_parts_of_a_range_add_up,
            a_page_has_the_first_entries_of_its_range_up_to_the_limit,
            only_orders_that_are_known_are_found,
        }
    };
}

/// Makes the additional tests for contexts that consume events, so that an event may be missing:
/// `(run, fixture)`.
#[macro_export]
macro_rules! consumer_ledger_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, order_ledger_contract:
            a_missing_event_is_visible_until_it_arrives,
        }
    };
}

pub async fn an_empty_ledger_has_the_empty_digest<F: LedgerFixture>(fixture: &F) {
    assert_eq!(digest(fixture, 0..100).await, Digest::default());
    assert_eq!(page(fixture, 0..100, 10).await, []);
}

pub async fn an_order_has_one_entry_for_any_number_of_events<F: LedgerFixture>(fixture: &F) {
    fixture.add_event(1, 1).await;
    fixture.add_event(1, 2).await;
    fixture.add_event(2, 1).await;
    assert_eq!(page(fixture, 0..100, 10).await, [entry(1, 2, 2), entry(2, 1, 1)]);
    assert_eq!(digest(fixture, 0..100).await.orders, 2);
}

pub async fn the_digest_does_not_depend_on_the_sequence_of_orders<F: LedgerFixture>(fixture: &F) {
    for n in [1, 2, 3] {
        fixture.add_event(n, 1).await;
    }
    let first = digest(fixture, 0..10).await;
    for n in [13, 11, 12] {
        fixture.add_event(n, 1).await;
    }
    let second = digest(fixture, 11..20).await;
    assert_eq!((first.orders, second.orders), (3, 3));
    let parts = [11..12, 12..13, 13..14];
    let mut sum = Digest::default();
    for part in parts {
        sum = sum.and(digest(fixture, part).await);
    }
    assert_eq!(second, sum);
    assert_ne!(first.hash, second.hash, "the orders are different");
}

pub async fn a_further_event_changes_the_digest<F: LedgerFixture>(fixture: &F) {
    fixture.add_event(1, 1).await;
    fixture.add_event(2, 1).await;
    let before = digest(fixture, 0..10).await;
    fixture.add_event(2, 2).await;
    let after = digest(fixture, 0..10).await;
    assert_eq!(before.orders, after.orders);
    assert_ne!(before.hash, after.hash);
}

pub async fn digests_of_the_parts_of_a_range_add_up<F: LedgerFixture>(fixture: &F) {
    for n in 1..=9 {
        fixture.add_event(n, 1).await;
    }
    let all = digest(fixture, 1..10).await;
    assert_eq!(all.orders, 9);
    assert_eq!(digest(fixture, 1..5).await.and(digest(fixture, 5..10).await), all);
    assert_eq!(digest(fixture, 0..100).await, all);
}

pub async fn a_page_has_the_first_entries_of_its_range_up_to_the_limit<F: LedgerFixture>(
    fixture: &F,
) {
    for n in [5, 3, 1, 4, 2] {
        fixture.add_event(n, 1).await;
    }
    assert_eq!(page(fixture, 2..5, 10).await, [entry(2, 1, 1), entry(3, 1, 1), entry(4, 1, 1)]);
    assert_eq!(page(fixture, 0..10, 2).await, [entry(1, 1, 1), entry(2, 1, 1)]);
    let rest = range(0..10).after(sample::order_id(3));
    let rest = fixture.ledger().page(rest, 10).await.expect("a page");
    assert_eq!(rest, [entry(4, 1, 1), entry(5, 1, 1)]);
}

pub async fn only_orders_that_are_known_are_found<F: LedgerFixture>(fixture: &F) {
    fixture.add_event(1, 1).await;
    fixture.add_event(2, 1).await;
    let requested: Vec<OrderId> = [2, 3].into_iter().map(sample::order_id).collect();
    let found = fixture.ledger().find_all(&requested).await.expect("an answer");
    assert_eq!(found, [entry(2, 1, 1)]);
    assert_eq!(fixture.ledger().find_all(&[]).await.expect("an answer"), []);
}

pub async fn a_missing_event_is_visible_until_it_arrives<F: LedgerFixture>(fixture: &F) {
    fixture.add_event(1, 2).await;
    assert_eq!(page(fixture, 0..10, 10).await, [entry(1, 2, 1)]);
    let without = digest(fixture, 0..10).await;
    fixture.add_event(1, 1).await;
    assert_eq!(page(fixture, 0..10, 10).await, [entry(1, 2, 2)]);
    assert_ne!(digest(fixture, 0..10).await, without);
}

fn entry(n: u32, version: i64, events: i64) -> LedgerEntry {
    let version = OrderVersion::try_from(version).expect("a version");
    LedgerEntry { order_id: sample::order_id(n), version, events }
}

/// The range of these sample orders.
fn range(orders: std::ops::Range<u32>) -> OrderRange {
    OrderRange::of_ids(sample::order_id(orders.start), sample::order_id(orders.end))
}

async fn digest<F: LedgerFixture>(fixture: &F, orders: std::ops::Range<u32>) -> Digest {
    fixture.ledger().digest(range(orders)).await.expect("a digest")
}

async fn page<F: LedgerFixture>(
    fixture: &F,
    orders: std::ops::Range<u32>,
    limit: usize,
) -> Vec<LedgerEntry> {
    fixture.ledger().page(range(orders), limit).await.expect("a page")
}
