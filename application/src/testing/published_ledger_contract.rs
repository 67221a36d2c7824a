//! Contract of [`PublishedLedger`]: it reports which orders have unpublished events, and publishes
//! orders again.

#![allow(missing_docs, reason = "each test name is a sentence")]

use domain::{EventId, OrderId};

use super::ordering_steps::step;
use super::{LedgerFixture, OrderStep, OrderingFixture, sample};
use crate::ordering::Cause;
use crate::reconcile::{OrderLedger, PublishedLedger, Republished};
use crate::relay::{Claim, Outbox, OutboxRecord, Verdict};

/// Maximum number of tries while waiting for background work of the store.
const MAX_TRIES: usize = 500;

/// Makes one `#[test]` per test function of [`published_ledger_contract`](self): `(run, fixture)`.
#[macro_export]
macro_rules! published_ledger_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, published_ledger_contract:
            an_order_is_in_flight_until_all_of_its_events_are_published,
            an_order_with_an_event_that_failed_or_was_refused_is_in_flight,
            only_requested_orders_are_reported_as_in_flight,
            all_events_of_a_republished_order_are_claimed_again_in_sequence,
            an_event_that_is_already_due_is_not_claimed_twice,
            a_refused_event_stays_refused,
            an_order_that_is_not_known_cannot_be_republished,
            every_event_of_an_order_counts,
        }
    };
}

pub async fn an_order_is_in_flight_until_all_of_its_events_are_published<F>(fixture: &F)
where
    F: LedgerFixture<Ledger: PublishedLedger> + OrderingFixture,
{
    fixture.add_event(1, 1).await;
    assert_eq!(in_flight(fixture, &[1]).await, [1]);
    relay(fixture, 1, &Verdict::Published).await;
    assert_eq!(in_flight(fixture, &[1]).await, []);
    fixture.add_event(1, 2).await;
    assert_eq!(in_flight(fixture, &[1]).await, [1]);
    relay(fixture, 1, &Verdict::Published).await;
    assert_eq!(in_flight(fixture, &[1]).await, []);
}

pub async fn an_order_with_an_event_that_failed_or_was_refused_is_in_flight<F>(fixture: &F)
where
    F: LedgerFixture<Ledger: PublishedLedger> + OrderingFixture,
{
    fixture.add_event(1, 1).await;
    relay(fixture, 1, &Verdict::Failed("busy".to_owned())).await;
    assert_eq!(in_flight(fixture, &[1]).await, [1]);
    fixture.add_event(2, 1).await;
    relay(fixture, 2, &Verdict::Refused("too large".to_owned())).await;
    assert!(in_flight(fixture, &[2]).await.contains(&2));
}

pub async fn only_requested_orders_are_reported_as_in_flight<F>(fixture: &F)
where
    F: LedgerFixture<Ledger: PublishedLedger> + OrderingFixture,
{
    fixture.add_event(1, 1).await;
    fixture.add_event(2, 1).await;
    assert_eq!(in_flight(fixture, &[2, 3]).await, [2]);
    assert_eq!(in_flight(fixture, &[]).await, []);
}

pub async fn all_events_of_a_republished_order_are_claimed_again_in_sequence<F>(fixture: &F)
where
    F: LedgerFixture<Ledger: PublishedLedger> + OrderingFixture,
{
    for n in 1..=3 {
        fixture.add_event(n, 1).await;
    }
    fixture.add_event(2, 2).await;
    relay(fixture, 4, &Verdict::Published).await;
    assert!(claim(fixture).await.is_none());

    assert_eq!(republish(fixture, &[2]).await, [(2, 2)]);
    assert_eq!(in_flight(fixture, &[1, 2, 3]).await, [2]);
    let events: Vec<EventId> =
        relay(fixture, 2, &Verdict::Published).await.iter().map(|record| record.event_id).collect();
    assert_eq!(events, [sample::event_id(2, 1), sample::event_id(2, 2)]);
    assert!(claim(fixture).await.is_none());
}

pub async fn an_event_that_is_already_due_is_not_claimed_twice<F>(fixture: &F)
where
    F: LedgerFixture<Ledger: PublishedLedger> + OrderingFixture,
{
    fixture.add_event(1, 1).await;
    relay(fixture, 1, &Verdict::Published).await;
    fixture.add_event(1, 2).await;
    assert_eq!(republish(fixture, &[1]).await, [(1, 2)]);
    assert_eq!(republish(fixture, &[1]).await, [(1, 2)]);
    let events: Vec<EventId> =
        relay(fixture, 2, &Verdict::Published).await.iter().map(|record| record.event_id).collect();
    assert_eq!(events, [sample::event_id(1, 1), sample::event_id(1, 2)]);
    assert!(claim(fixture).await.is_none());
}

pub async fn a_refused_event_stays_refused<F>(fixture: &F)
where
    F: LedgerFixture<Ledger: PublishedLedger> + OrderingFixture,
{
    fixture.add_event(1, 1).await;
    relay(fixture, 1, &Verdict::Refused("too large".to_owned())).await;
    fixture.add_event(1, 2).await;
    relay(fixture, 1, &Verdict::Published).await;
    assert_eq!(republish(fixture, &[1]).await, [(1, 1)]);
    let records = relay(fixture, 1, &Verdict::Published).await;
    assert_eq!(records[0].event_id, sample::event_id(1, 2));
    assert!(claim(fixture).await.is_none());
}

pub async fn an_order_that_is_not_known_cannot_be_republished<F>(fixture: &F)
where
    F: LedgerFixture<Ledger: PublishedLedger> + OrderingFixture,
{
    fixture.add_event(1, 1).await;
    relay(fixture, 1, &Verdict::Published).await;
    assert_eq!(republish(fixture, &[2]).await, []);
    assert_eq!(republish(fixture, &[]).await, []);
    assert!(claim(fixture).await.is_none());
}

pub async fn every_event_of_an_order_counts<F>(fixture: &F)
where
    F: LedgerFixture<Ledger: PublishedLedger> + OrderingFixture,
{
    let orders = fixture.orders();
    for (steps, n) in OrderStep::sequences().iter().zip(1..) {
        fixture.add_event(n, 1).await;
        for (one, version) in steps.iter().zip(2..) {
            step(&orders, n, one, Cause::Unkeyed).await;
            let entries = fixture.ledger().find_all(&ids(&[n])).await.expect("an answer");
            let counted: Vec<_> = entries.iter().map(|e| (e.version.get(), e.events)).collect();
            assert_eq!(counted, [(version, version)], "{one:?} of {steps:?}");
        }
        let events = i64::try_from(steps.len()).expect("a number") + 1;
        assert_eq!(republish(fixture, &[n]).await, [(n, events)], "{steps:?}");
    }
}

fn ids(orders: &[u32]) -> Vec<OrderId> {
    orders.iter().copied().map(sample::order_id).collect()
}

/// The number `n` of a sample order.
fn number(order: OrderId) -> u32 {
    (0..100).find(|&n| sample::order_id(n) == order).expect("a sample")
}

async fn in_flight<F: LedgerFixture<Ledger: PublishedLedger>>(
    fixture: &F,
    orders: &[u32],
) -> Vec<u32> {
    let found = fixture.ledger().in_flight(&ids(orders)).await.expect("an answer");
    found.into_iter().map(number).collect()
}

async fn republish<F: LedgerFixture<Ledger: PublishedLedger>>(
    fixture: &F,
    orders: &[u32],
) -> Vec<(u32, i64)> {
    let due = fixture.ledger().republish(&ids(orders)).await.expect("an answer");
    due.into_iter().map(|Republished { order_id, events }| (number(order_id), events)).collect()
}

async fn claim<F: OrderingFixture>(fixture: &F) -> Option<<F::Outbox as Outbox>::Claim> {
    fixture.outbox().claim(100).await.expect("an answer")
}

/// Claims `count` records and settles each with this verdict.
async fn relay<F: OrderingFixture>(
    fixture: &F,
    count: usize,
    verdict: &Verdict,
) -> Vec<OutboxRecord> {
    let mut relayed = Vec::new();
    for _ in 0..MAX_TRIES {
        match claim(fixture).await {
            Some(claim) => {
                relayed.extend_from_slice(claim.records());
                let verdicts = vec![verdict.clone(); claim.records().len()];
                claim.settle(&verdicts).await.expect("settled");
            }
            None => fixture.let_delays_pass().await,
        }
        if relayed.len() >= count {
            break;
        }
    }
    assert_eq!(relayed.len(), count);
    relayed
}
