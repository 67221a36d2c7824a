//! Contract of [`Orders`] and [`Answers`]: each cause is stored with the order that it changed, and
//! answered once.

#![allow(missing_docs, reason = "each test name is a sentence")]

use domain::Timestamp;
use domain::ordering::Order;
use futures_util::future::join_all;

use super::ordering_steps::{assert_nothing_due, cancel, find, order_of, place, relay_all, stored};
use super::{OrderingFixture, sample};
use crate::housekeeping::delete_in_chunks;
use crate::ordering::{Answers, Cause, FindAnswerError, Orders, SaveError, Saved};

/// Makes one `#[test]` per test function of [`answers_contract`](self): `(run, fixture)`.
#[macro_export]
macro_rules! answers_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, answers_contract:
            a_repeated_request_gets_the_original_answer_and_changes_nothing,
            a_repeated_event_gets_the_original_answer_and_changes_nothing,
            the_original_answer_stays_the_same_when_the_order_changes,
            a_key_used_for_another_request_is_refused,
            an_answer_is_found_by_its_cause,
            requests_without_a_key_are_never_repeats,
            a_request_and_an_event_are_different_causes,
            saving_an_order_without_events_still_stores_its_cause,
            exactly_one_of_several_parallel_repeats_of_a_request_is_stored,
            a_request_whose_answer_was_deleted_counts_as_new,
        }
    };
}

pub async fn a_repeated_request_gets_the_original_answer_and_changes_nothing<F: OrderingFixture>(
    fixture: &F,
) {
    assert_answered_once(fixture, sample::request("k", "one order")).await;
}

pub async fn a_repeated_event_gets_the_original_answer_and_changes_nothing<F: OrderingFixture>(
    fixture: &F,
) {
    assert_answered_once(fixture, Cause::Event(sample::event_id(7, 7))).await;
}

pub async fn the_original_answer_stays_the_same_when_the_order_changes<F: OrderingFixture>(
    fixture: &F,
) {
    let orders = fixture.orders();
    let placing = sample::request("k", "one order");
    let placed = place(&orders, 1, placing.clone()).await;
    let cancelling = sample::request("c", "cancel it");
    let cancelled = cancel(&orders, 1, cancelling.clone()).await;

    let again = answered_before(orders.save(sample::order(2), placing.clone()).await);
    assert_eq!(again, placed);
    assert_eq!(orders.find_answer(&placing).await.expect("an answer"), Some(placed));
    assert_eq!(orders.find_answer(&cancelling).await.expect("an answer"), Some(cancelled));
}

pub async fn a_key_used_for_another_request_is_refused<F: OrderingFixture>(fixture: &F) {
    let orders = fixture.orders();
    place(&orders, 1, sample::request("k", "one thing")).await;
    let other = sample::request("k", "another thing");

    let refused = orders.save(sample::order(2), other.clone()).await;
    assert!(matches!(refused, Err(SaveError::KeyReused)), "{refused:?}");
    let refused = orders.find_answer(&other).await;
    assert!(matches!(refused, Err(FindAnswerError::KeyReused)), "{refused:?}");
    assert_eq!(orders.find(sample::order_id(2)).await.expect("an answer"), None);
    assert_eq!(relay_all(fixture, 1).await.len(), 1);
    assert_nothing_due(fixture).await;
}

pub async fn an_answer_is_found_by_its_cause<F: OrderingFixture>(fixture: &F) {
    let orders = fixture.orders();
    let (request, event) = (sample::request("k", "it"), Cause::Event(sample::event_id(7, 7)));
    for cause in [&request, &event] {
        assert_eq!(orders.find_answer(cause).await.expect("an answer"), None);
    }
    let first = place(&orders, 1, request.clone()).await;
    let second = place(&orders, 2, event.clone()).await;
    assert_eq!(orders.find_answer(&request).await.expect("an answer"), Some(first));
    assert_eq!(orders.find_answer(&event).await.expect("an answer"), Some(second));
}

pub async fn requests_without_a_key_are_never_repeats<F: OrderingFixture>(fixture: &F) {
    let orders = fixture.orders();
    place(&orders, 1, Cause::Unkeyed).await;
    assert_eq!(orders.find_answer(&Cause::Unkeyed).await.expect("an answer"), None);
    place(&orders, 2, Cause::Unkeyed).await;
}

pub async fn a_request_and_an_event_are_different_causes<F: OrderingFixture>(fixture: &F) {
    let orders = fixture.orders();
    let event = sample::event_id(7, 7);
    place(&orders, 1, Cause::Event(event)).await;
    place(&orders, 2, sample::request(&event.to_string(), "the same text")).await;
}

pub async fn saving_an_order_without_events_still_stores_its_cause<F: OrderingFixture>(
    fixture: &F,
) {
    let orders = fixture.orders();
    let placed = place(&orders, 1, Cause::Unkeyed).await;
    let cause = sample::request("k", "nothing new");
    let unchanged = stored(orders.save(find(&orders, 1).await, cause.clone()).await);

    assert_eq!(unchanged, placed);
    assert_eq!(orders.find_answer(&cause).await.expect("an answer"), Some(placed));
    assert_eq!(relay_all(fixture, 1).await.len(), 1);
    assert_nothing_due(fixture).await;
}

pub async fn exactly_one_of_several_parallel_repeats_of_a_request_is_stored<F: OrderingFixture>(
    fixture: &F,
) {
    let orders = fixture.orders();
    let cause = sample::request("k", "one order");
    let repeats = (1..9).map(|n| orders.save(sample::order(n), cause.clone()));
    let results = join_all(repeats).await;

    let results: Vec<Saved> = results.into_iter().map(|r| r.expect("an answer")).collect();
    let stored: Vec<_> = results.iter().filter(|r| matches!(r, Saved::Stored(_))).collect();
    assert_eq!(stored.len(), 1, "{results:?}");
    let ids: Vec<_> = results.into_iter().map(|saved| order_of(saved).id()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "one answer for all: {ids:?}");
    assert_eq!(relay_all(fixture, 1).await[0].aggregate_id, ids[0].get());
    assert_nothing_due(fixture).await;
}

pub async fn a_request_whose_answer_was_deleted_counts_as_new<F: OrderingFixture>(fixture: &F) {
    let (orders, answers) = (fixture.orders(), fixture.answers());
    let cause = sample::request("k", "place");
    place(&orders, 1, cause.clone()).await;
    let [past, future] = [0, i64::from(u32::MAX) * 1_000_000].map(Timestamp::from_micros);
    let deleted = answers.delete_before(past.expect("a time"), 10).await;
    assert_eq!(deleted.expect("an answer"), 0);
    assert!(orders.find_answer(&cause).await.expect("an answer").is_some());

    let future = future.expect("a time");
    let deleted = delete_in_chunks(|limit| answers.delete_before(future, limit)).await;
    assert_eq!(deleted.expect("an answer"), 1);
    assert!(orders.find_answer(&cause).await.expect("an answer").is_none());
    place(&orders, 2, cause).await;
}

async fn assert_answered_once<F: OrderingFixture>(fixture: &F, cause: Cause) {
    let orders = fixture.orders();
    let first = place(&orders, 1, cause.clone()).await;
    let again = answered_before(orders.save(sample::order(2), cause).await);
    assert_eq!(again, first);
    assert_eq!(orders.find(sample::order_id(2)).await.expect("an answer"), None);
    let records = relay_all(fixture, 1).await;
    assert_eq!(records[0].event_id, sample::event_id(1, 1));
    assert_nothing_due(fixture).await;
}

fn answered_before(result: Result<Saved, SaveError>) -> Order {
    match result {
        Ok(Saved::AnsweredBefore(order)) => order,
        other => panic!("expected Saved::AnsweredBefore, not {other:?}"),
    }
}
