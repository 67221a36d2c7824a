//! Contract of [`Outbox`]: each saved event can be claimed until it is published, by one relay at a
//! time, and the events of one order in sequence.

#![allow(missing_docs, reason = "each test name is a sentence")]

use std::collections::{HashMap, HashSet};

use domain::EventId;

use super::ordering_steps::{MAX_TRIES, assert_nothing_due, cancel, claim_due, place, relay_all};
use super::{OrderingFixture, sample};
use crate::ordering::{Cause, Orders, Saved};
use crate::relay::{CLAIM_BYTES, Claim, Outbox, OutboxRecord, Verdict};

/// The number of largest orders whose events need several claims because of their size.
const LARGE_ORDERS: u32 = 300;

/// Makes one `#[test]` per test function of [`outbox_contract`](self): `(run, fixture)`.
#[macro_export]
macro_rules! outbox_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, outbox_contract:
            an_empty_outbox_has_nothing_due,
            published_events_are_claimed_exactly_once,
            a_claim_is_limited_and_grouped_by_lane,
            a_claim_of_large_records_is_bounded_by_their_size,
            concurrent_claims_never_share_a_lane,
            a_dropped_claim_is_released,
            an_unsent_record_is_claimed_again,
            a_record_without_a_verdict_is_claimed_again,
            an_unsent_record_is_claimed_again_but_a_published_one_after_it_is_not,
            a_failed_record_is_claimed_again_after_a_delay,
            later_events_of_an_order_wait_for_a_failed_one,
            a_failed_record_does_not_block_other_orders,
            a_refused_record_is_not_claimed_again_and_blocks_nothing,
            events_of_one_order_are_claimed_in_sequence_across_small_claims,
        }
    };
}

pub async fn an_empty_outbox_has_nothing_due<F: OrderingFixture>(fixture: &F) {
    assert_nothing_due(fixture).await;
}

pub async fn published_events_are_claimed_exactly_once<F: OrderingFixture>(fixture: &F) {
    place_all(fixture, 1..=40).await;
    for n in 1..=20 {
        cancel(&fixture.orders(), n, Cause::Unkeyed).await;
    }
    let records = relay_all(fixture, 60).await;

    let mut events: Vec<EventId> = records.iter().map(|record| record.event_id).collect();
    events.sort_unstable();
    let mut saved: Vec<EventId> = (1..=40).map(|n| sample::event_id(n, 1)).collect();
    saved.extend((1..=20).map(|n| sample::event_id(n, 2)));
    saved.sort_unstable();
    assert_eq!(events, saved);
    assert_in_order(&records);
    assert_nothing_due(fixture).await;
}

pub async fn a_claim_is_limited_and_grouped_by_lane<F: OrderingFixture>(fixture: &F) {
    place_all(fixture, 1..=80).await;
    let claim = claim_due(fixture, 3).await;
    let records = claim.records();
    assert!((1..=3).contains(&records.len()), "{}", records.len());
    let lanes = records.chunk_by(|one, next| one.lane == next.lane);
    assert!(lanes.clone().all(|lane| lane.is_sorted_by_key(|record| record.position)));
    let different: HashSet<i16> = records.iter().map(|record| record.lane).collect();
    assert_eq!(lanes.count(), different.len(), "the records of a lane are not contiguous");
}

pub async fn a_claim_of_large_records_is_bounded_by_their_size<F: OrderingFixture>(fixture: &F) {
    // Even if a claim has several lanes, there are enough events to exceed the maximum size.
    let orders = fixture.orders();
    for n in 1..=LARGE_ORDERS {
        let saved = orders.save(sample::largest_order(n), Cause::Unkeyed).await;
        assert!(matches!(saved, Ok(Saved::Stored(_))), "{saved:?}");
    }
    let mut published = HashSet::new();
    let mut bounded = false;
    // Each record fails once. So it is claimed first as a new record and then as a retry.
    for is_retry in [false, true] {
        let mut claimed = HashSet::new();
        while claimed.len() < LARGE_ORDERS as usize {
            let claim = claim_due(fixture, 1000).await;
            let records = claim.records();
            let lanes = records.chunk_by(|one, next| one.lane == next.lane);
            let size = |record: &OutboxRecord| record.payload.len();
            let last: usize = lanes.filter_map(<[_]>::last).map(size).sum();
            let bytes: usize = records.iter().map(size).sum();
            assert!(bytes - last < CLAIM_BYTES, "{bytes} bytes in {} records", records.len());
            bounded |= bytes >= CLAIM_BYTES / 2;
            let verdict = if is_retry {
                published.extend(records.iter().map(|record| record.event_id));
                Verdict::Published
            } else {
                Verdict::Failed("not today".to_owned())
            };
            claimed.extend(records.iter().map(|record| record.event_id));
            let verdicts = vec![verdict; records.len()];
            claim.settle(&verdicts).await.expect("settled");
        }
    }
    assert!(bounded, "no claim was close to the maximum size");
    assert_eq!(published.len(), LARGE_ORDERS as usize);
    assert_nothing_due(fixture).await;
}

pub async fn concurrent_claims_never_share_a_lane<F: OrderingFixture>(fixture: &F) {
    place_all(fixture, 1..=80).await;
    let outbox = fixture.outbox();
    let mut claims = vec![claim_due(fixture, 2).await];
    // Each claim uses a database connection, so only a few claims are open at once.
    while claims.len() < 4 {
        let Some(claim) = outbox.claim(2).await.expect("an answer") else { break };
        claims.push(claim);
    }
    assert!(claims.len() > 1, "80 orders are in several lanes");
    let mut claimed = HashSet::new();
    for claim in &claims {
        let lanes: HashSet<i16> = claim.records().iter().map(|record| record.lane).collect();
        assert!(claimed.is_disjoint(&lanes), "another claim has one of the lanes {lanes:?}");
        claimed.extend(lanes);
    }
    let records = || claims.iter().flat_map(Claim::records);
    let events: HashSet<EventId> = records().map(|record| record.event_id).collect();
    assert_eq!(events.len(), records().count());
}

pub async fn a_dropped_claim_is_released<F: OrderingFixture>(fixture: &F) {
    place_all(fixture, [1]).await;
    let claim = claim_due(fixture, 10).await;
    let records = claim.records().to_vec();
    assert!(fixture.outbox().claim(10).await.expect("an answer").is_none(), "the lane is claimed");
    drop(claim);
    assert_eq!(claim_due(fixture, 10).await.records(), records);
}

pub async fn an_unsent_record_is_claimed_again<F: OrderingFixture>(fixture: &F) {
    place_all(fixture, [1]).await;
    settle(fixture, |_| Verdict::Unsent).await;
    // Without a delay, because the record did not fail.
    let again = fixture.outbox().claim(10).await.expect("an answer").expect("the record");
    assert_eq!(again.records()[0].event_id, sample::event_id(1, 1));
}

pub async fn a_record_without_a_verdict_is_claimed_again<F: OrderingFixture>(fixture: &F) {
    place_all(fixture, [1]).await;
    let claim = claim_due(fixture, 10).await;
    claim.settle(&[]).await.expect("settled");
    assert_eq!(claim_due(fixture, 10).await.records()[0].event_id, sample::event_id(1, 1));
}

pub async fn an_unsent_record_is_claimed_again_but_a_published_one_after_it_is_not<
    F: OrderingFixture,
>(
    fixture: &F,
) {
    // Enough orders that at least one lane has two of them.
    place_all(fixture, 1..=40).await;
    let mut unsent = HashSet::new();
    let mut published = HashSet::new();
    let mut failures = 0;
    while unsent.len() + published.len() < 40 {
        let claim = claim_due(fixture, 100).await;
        let verdicts: Vec<Verdict> = claim
            .records()
            .iter()
            .enumerate()
            .map(|(index, record)| {
                if index == 0 && !unsent.contains(&record.event_id) {
                    unsent.insert(record.event_id);
                    Verdict::Unsent
                } else if unsent.contains(&record.event_id) {
                    // Fails the second time, so that the other lanes get their turn.
                    failures += 1;
                    assert!(failures <= MAX_TRIES, "other lanes never get their turn");
                    Verdict::Failed("hold".to_owned())
                } else {
                    assert!(published.insert(record.event_id), "published twice");
                    Verdict::Published
                }
            })
            .collect();
        claim.settle(&verdicts).await.expect("settled");
    }
    assert!(!published.is_empty(), "of 40 orders, some are in the same lane");
    let again = relay_all(fixture, unsent.len()).await;
    assert_eq!(again.iter().map(|record| record.event_id).collect::<HashSet<_>>(), unsent);
    assert_nothing_due(fixture).await;
}

pub async fn a_failed_record_is_claimed_again_after_a_delay<F: OrderingFixture>(fixture: &F) {
    place_all(fixture, [1]).await;
    for _ in 0..3 {
        settle(fixture, |_| Verdict::Failed("not today".to_owned())).await;
        assert!(
            fixture.outbox().claim(10).await.expect("an answer").is_none(),
            "the record is delayed"
        );
    }
    assert_eq!(relay_all(fixture, 1).await[0].event_id, sample::event_id(1, 1));
    assert_nothing_due(fixture).await;
}

pub async fn later_events_of_an_order_wait_for_a_failed_one<F: OrderingFixture>(fixture: &F) {
    place_all(fixture, [1]).await;
    settle(fixture, |_| Verdict::Failed("not today".to_owned())).await;
    cancel(&fixture.orders(), 1, Cause::Unkeyed).await;
    assert!(fixture.outbox().claim(10).await.expect("an answer").is_none(), "both are delayed");

    let records = relay_all(fixture, 2).await;
    let versions: Vec<i64> = records.iter().map(|record| record.aggregate_version).collect();
    assert_eq!(versions, [1, 2]);
    assert_nothing_due(fixture).await;
}

pub async fn a_failed_record_does_not_block_other_orders<F: OrderingFixture>(fixture: &F) {
    place_all(fixture, 1..=40).await;
    let failing = sample::event_id(1, 1);
    let mut published = HashSet::new();
    let mut failures = 0;
    while published.len() < 39 {
        let claim = claim_due(fixture, 100).await;
        let verdicts: Vec<Verdict> = claim
            .records()
            .iter()
            .map(|record| {
                if record.event_id == failing {
                    failures += 1;
                    assert!(failures <= MAX_TRIES, "other lanes never get their turn");
                    return Verdict::Failed("not today".to_owned());
                }
                assert!(published.insert(record.event_id), "published twice");
                Verdict::Published
            })
            .collect();
        claim.settle(&verdicts).await.expect("settled");
    }
    let again = relay_all(fixture, 1).await;
    assert_eq!(again[0].event_id, failing);
    assert_nothing_due(fixture).await;
}

pub async fn a_refused_record_is_not_claimed_again_and_blocks_nothing<F: OrderingFixture>(
    fixture: &F,
) {
    place_all(fixture, [1]).await;
    cancel(&fixture.orders(), 1, Cause::Unkeyed).await;
    let claim = claim_due(fixture, 1).await;
    assert_eq!(claim.records()[0].event_id, sample::event_id(1, 1));
    claim.settle(&[Verdict::Refused("too large".to_owned())]).await.expect("settled");

    let records = relay_all(fixture, 1).await;
    assert_eq!(records[0].event_id, sample::event_id(1, 2));
    assert_nothing_due(fixture).await;
}

pub async fn events_of_one_order_are_claimed_in_sequence_across_small_claims<F: OrderingFixture>(
    fixture: &F,
) {
    place_all(fixture, 1..=30).await;
    for n in (1..=30).rev() {
        cancel(&fixture.orders(), n, Cause::Unkeyed).await;
    }
    let mut records = Vec::new();
    let mut turn = 0_usize;
    while records.len() < 60 {
        let claim = claim_due(fixture, 2).await;
        turn += 1;
        // Every third claim fails completely, as in a broker failure.
        let fails = turn.is_multiple_of(3);
        let verdict =
            if fails { Verdict::Failed("not today".to_owned()) } else { Verdict::Published };
        if !fails {
            records.extend_from_slice(claim.records());
        }
        let verdicts = vec![verdict; claim.records().len()];
        claim.settle(&verdicts).await.expect("settled");
    }
    assert_in_order(&records);
    assert_nothing_due(fixture).await;
}

async fn settle<F: OrderingFixture>(fixture: &F, verdict: impl Fn(&OutboxRecord) -> Verdict) {
    let claim = claim_due(fixture, 100).await;
    let verdicts: Vec<Verdict> = claim.records().iter().map(verdict).collect();
    claim.settle(&verdicts).await.expect("settled");
}

async fn place_all<F: OrderingFixture>(fixture: &F, numbers: impl IntoIterator<Item = u32>) {
    let orders = fixture.orders();
    for n in numbers {
        place(&orders, n, Cause::Unkeyed).await;
    }
}

fn assert_in_order(records: &[OutboxRecord]) {
    let mut latest: HashMap<_, i64> = HashMap::new();
    for record in records {
        let before = latest.insert(record.aggregate_id, record.aggregate_version).unwrap_or(0);
        assert_eq!(record.aggregate_version, before + 1, "{record:?} out of order");
    }
}
