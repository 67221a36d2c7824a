//! Steps that the contracts of [`OrderingFixture`] share.

use domain::Outcome;
use domain::ordering::{Order, PharmacyNews};

use super::{OrderStep, OrderingFixture, sample};
use crate::ordering::{Cause, Orders, SaveError, Saved};
use crate::relay::{Claim, Outbox, OutboxRecord, Verdict};

/// Maximum number of tries while waiting for background work of the store.
pub(super) const MAX_TRIES: usize = 500;

/// Places order `n` for `cause`.
pub(super) async fn place(orders: &impl Orders, n: u32, cause: Cause) -> Order {
    stored(orders.save(sample::order(n), cause).await)
}

/// The pharmacy cancels order `n`, which was only placed before, for `cause`.
pub(super) async fn cancel(orders: &impl Orders, n: u32, cause: Cause) -> Order {
    let mut order = find(orders, n).await;
    assert_eq!(order.follow(PharmacyNews::Cancelled, sample::event_stamp(n, 2)), Outcome::Applied);
    stored(orders.save(order, cause).await)
}

/// Takes a step with order `n` for `cause`.
pub(super) async fn step(orders: &impl Orders, n: u32, step: &OrderStep, cause: Cause) -> Order {
    let mut order = find(orders, n).await;
    let version = u32::try_from(order.version().next().get()).expect("a small version");
    step.take(&mut order, sample::event_stamp(n, version));
    stored(orders.save(order, cause).await)
}

pub(super) async fn find(orders: &impl Orders, n: u32) -> Order {
    orders.find(sample::order_id(n)).await.expect("an answer").expect("the order")
}

pub(super) fn stored(result: Result<Saved, SaveError>) -> Order {
    match result {
        Ok(Saved::Stored(order)) => order,
        other => panic!("expected Saved::Stored, not {other:?}"),
    }
}

pub(super) fn order_of(saved: Saved) -> Order {
    match saved {
        Saved::Stored(order) | Saved::AnsweredBefore(order) => order,
    }
}

/// Claims records and settles them as published, until there have been `expected` records.
pub(super) async fn relay_all<F: OrderingFixture>(
    fixture: &F,
    expected: usize,
) -> Vec<OutboxRecord> {
    let mut records = Vec::new();
    while records.len() < expected {
        let claim = claim_due(fixture, 100).await;
        records.extend_from_slice(claim.records());
        let verdicts = vec![Verdict::Published; claim.records().len()];
        claim.settle(&verdicts).await.expect("settled");
    }
    assert_eq!(records.len(), expected, "more than expected: {records:?}");
    records
}

/// Asserts that nothing is due, now and after all delays.
pub(super) async fn assert_nothing_due<F: OrderingFixture>(fixture: &F) {
    for _ in 0..3 {
        fixture.let_delays_pass().await;
        let claim = fixture.outbox().claim(100).await.expect("an answer");
        assert!(claim.is_none(), "{:?}", claim.map(|claim| claim.records().to_vec()));
    }
}

/// Waits until a record is due, and claims.
pub(super) async fn claim_due<F: OrderingFixture>(
    fixture: &F,
    limit: usize,
) -> <F::Outbox as Outbox>::Claim {
    let outbox = fixture.outbox();
    for _ in 0..MAX_TRIES {
        if let Some(claim) = outbox.claim(limit).await.expect("an answer") {
            assert!(!claim.records().is_empty(), "a claim without records");
            return claim;
        }
        fixture.let_delays_pass().await;
    }
    panic!("no record became due");
}
