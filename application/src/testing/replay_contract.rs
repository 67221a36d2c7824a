//! Contract of [`Replay`]: published events are due again, in sequence, and dead letters are not.

#![allow(missing_docs, reason = "each test name is a sentence")]

use std::collections::HashMap;

use super::ordering_steps::{assert_nothing_due, cancel, place, relay_all};
use super::{OperatorFixture, refuse_event, sample};
use crate::ordering::Cause;
use crate::relay::{OutboxRecord, Replay};

/// Makes one `#[test]` per test function of [`replay_contract`](self): `(run, fixture)`.
#[macro_export]
macro_rules! replay_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, replay_contract:
            an_empty_outbox_has_nothing_to_replay,
            all_published_events_are_due_again_in_sequence,
            events_before_the_given_time_are_not_replayed,
            an_event_that_is_due_anyway_is_claimed_once,
            a_refused_event_is_not_replayed,
        }
    };
}

pub async fn an_empty_outbox_has_nothing_to_replay<F: OperatorFixture>(fixture: &F) {
    assert_eq!(fixture.replay().rewind(None).await.expect("an answer"), 0);
    assert_nothing_due(fixture).await;
}

pub async fn all_published_events_are_due_again_in_sequence<F: OperatorFixture>(fixture: &F) {
    let orders = fixture.orders();
    for n in 1..=20 {
        place(&orders, n, Cause::Unkeyed).await;
    }
    for n in 1..=10 {
        cancel(&orders, n, Cause::Unkeyed).await;
    }
    relay_all(fixture, 30).await;
    assert!(fixture.replay().rewind(None).await.expect("an answer") >= 30);
    let records = relay_all(fixture, 30).await;
    let mut versions: HashMap<_, Vec<i64>> = HashMap::new();
    for OutboxRecord { aggregate_id, aggregate_version, .. } in records {
        versions.entry(aggregate_id).or_default().push(aggregate_version);
    }
    for n in 1..=20 {
        let expected: &[i64] = if n <= 10 { &[1, 2] } else { &[1] };
        assert_eq!(versions[&sample::order_id(n).get()], expected);
    }
    assert_nothing_due(fixture).await;
}

pub async fn events_before_the_given_time_are_not_replayed<F: OperatorFixture>(fixture: &F) {
    let orders = fixture.orders();
    place(&orders, 1, Cause::Unkeyed).await;
    let since = fixture.now().await;
    cancel(&orders, 1, Cause::Unkeyed).await;
    relay_all(fixture, 2).await;
    assert!(fixture.replay().rewind(Some(since)).await.expect("an answer") >= 1);
    assert_eq!(relay_all(fixture, 1).await[0].event_id, sample::event_id(1, 2));
    assert_nothing_due(fixture).await;

    let later = fixture.now().await;
    assert_eq!(fixture.replay().rewind(Some(later)).await.expect("an answer"), 0);
    assert_nothing_due(fixture).await;
}

pub async fn an_event_that_is_due_anyway_is_claimed_once<F: OperatorFixture>(fixture: &F) {
    let orders = fixture.orders();
    place(&orders, 1, Cause::Unkeyed).await;
    relay_all(fixture, 1).await;
    cancel(&orders, 1, Cause::Unkeyed).await;
    for _ in 0..2 {
        fixture.replay().rewind(None).await.expect("an answer");
    }
    let events: Vec<_> = relay_all(fixture, 2).await.iter().map(|one| one.event_id).collect();
    assert_eq!(events, [sample::event_id(1, 1), sample::event_id(1, 2)]);
    assert_nothing_due(fixture).await;
}

pub async fn a_refused_event_is_not_replayed<F: OperatorFixture>(fixture: &F) {
    refuse_event(fixture, 1, 1, "too large").await;
    cancel(&fixture.orders(), 1, Cause::Unkeyed).await;
    relay_all(fixture, 1).await;
    fixture.replay().rewind(None).await.expect("an answer");
    assert_eq!(relay_all(fixture, 1).await[0].event_id, sample::event_id(1, 2));
    assert_nothing_due(fixture).await;
}
