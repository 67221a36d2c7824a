//! Contract of [`Orders`]: an order, its events and its cause are saved in one transaction, and
//! each cause is answered once.

#![allow(missing_docs, reason = "each test name is a sentence")]

use domain::Outcome;
use domain::Timestamp;
use domain::ordering::{
    CancelReason, Code, CodeDisplay, CustomerName, Order, OrderItems, OrderNote, PharmacyNews,
    Rejection, RejectionCode, RejectionText,
};
use futures_util::future::join_all;

use super::ordering_steps::{
    assert_nothing_due, cancel, find, order_of, place, relay_all, step, stored,
};
use super::{OrderStep, OrderingFixture, sample};
use crate::StoreError;
use crate::housekeeping::delete_in_chunks;
use crate::ordering::{
    Answers, Cause, FindAnswerError, Orders, PharmacyReport, SaveError, Saved, follow_pharmacy,
};

/// Makes one `#[test]` per test function of [`orders_contract`](self): `(run, fixture)`.
#[macro_export]
macro_rules! orders_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, orders_contract:
            a_saved_order_is_found,
            every_state_of_an_order_is_stored_unchanged,
            a_report_of_the_pharmacy_is_followed_once,
            a_report_that_changes_nothing_is_answered_once,
            a_report_about_an_unknown_order_is_refused,
            notes_medications_and_customers_are_stored_unchanged,
            texts_that_an_earlier_version_accepted_stay_readable,
            an_unknown_order_is_not_found,
            the_events_of_an_order_are_stored_with_it,
            an_id_that_already_exists_is_a_conflict,
            a_concurrent_change_of_an_order_is_a_conflict,
            a_conflict_stores_neither_state_nor_event_nor_cause,
            a_repeated_request_gets_the_original_answer_and_changes_nothing,
            a_repeated_event_gets_the_original_answer_and_changes_nothing,
            the_original_answer_stays_the_same_when_the_order_changes,
            a_key_used_for_another_request_is_refused,
            an_answer_is_found_by_its_cause,
            requests_without_a_key_are_never_repeats,
            a_request_and_an_event_are_different_causes,
            saving_an_order_without_events_still_stores_its_cause,
            exactly_one_of_several_parallel_saves_of_an_order_succeeds,
            exactly_one_of_several_parallel_repeats_of_a_request_is_stored,
            a_request_whose_answer_was_deleted_counts_as_new,
        }
    };
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

pub async fn a_saved_order_is_found<F: OrderingFixture>(fixture: &F) {
    let orders = fixture.orders();
    let placed = place(&orders, 1, Cause::Unkeyed).await;
    assert_eq!(placed, sample::order(1).saved());
    assert_eq!(find(&orders, 1).await, placed);

    let cancelled = cancel(&orders, 1, Cause::Unkeyed).await;
    assert_eq!(find(&orders, 1).await, cancelled);
    assert_ne!(cancelled, placed);
}

pub async fn every_state_of_an_order_is_stored_unchanged<F: OrderingFixture>(fixture: &F) {
    let orders = fixture.orders();
    for (steps, n) in OrderStep::sequences().iter().zip(1..) {
        place(&orders, n, Cause::Unkeyed).await;
        for (one, number) in steps.iter().zip(1..) {
            let cause = sample::request(&format!("{n}-{number}"), "it");
            let saved = step(&orders, n, one, cause.clone()).await;
            assert_eq!(find(&orders, n).await, saved, "{one:?} of {steps:?}");
            let answer = orders.find_answer(&cause).await.expect("an answer");
            assert_eq!(answer, Some(saved), "{one:?} of {steps:?}");
        }
        // The same, saved at once.
        let mut order = sample::order(100 + n);
        for (one, version) in steps.iter().zip(2..) {
            one.take(&mut order, sample::event_stamp(100 + n, version));
        }
        let saved = stored(orders.save(order, Cause::Unkeyed).await);
        assert_eq!(find(&orders, 100 + n).await, saved, "{steps:?}");
    }
}

pub async fn a_report_of_the_pharmacy_is_followed_once<F: OrderingFixture>(fixture: &F) {
    let orders = fixture.orders();
    place(&orders, 1, Cause::Unkeyed).await;
    let report = |event| report(1, event, PharmacyNews::Confirmed);
    let followed = follow_pharmacy(&orders, report(1), sample::event_stamp(1, 2)).await;
    assert_eq!(followed.expect("an answer"), Outcome::Applied);
    let confirmed = find(&orders, 1).await;
    assert_eq!(confirmed.version().get(), 2);
    for event in [1, 2] {
        let repeated = follow_pharmacy(&orders, report(event), sample::event_stamp(1, 3)).await;
        assert_eq!(repeated.expect("an answer"), Outcome::AlreadyApplied);
    }
    assert_eq!(find(&orders, 1).await, confirmed);
    let records = relay_all(fixture, 2).await;
    assert_eq!(records[1].event_type, "OrderConfirmed");
    assert_eq!(records[1].event_id, sample::event_id(1, 2));
    assert_nothing_due(fixture).await;
}

pub async fn a_report_that_changes_nothing_is_answered_once<F: OrderingFixture>(fixture: &F) {
    let orders = fixture.orders();
    let placed = place(&orders, 1, Cause::Unkeyed).await;
    // The customer asks to cancel only afterwards, so this does not answer the request.
    let declined = report(1, 1, PharmacyNews::CancellationDeclined);
    let followed = follow_pharmacy(&orders, declined.clone(), sample::event_stamp(1, 2)).await;
    assert_eq!(followed.expect("an answer"), Outcome::AlreadyApplied);
    let cause = Cause::Event(declined.event_id);
    assert_eq!(orders.find_answer(&cause).await.expect("an answer"), Some(placed));

    let requested = step(&orders, 1, &OrderStep::RequestCancellation, Cause::Unkeyed).await;
    let repeated = follow_pharmacy(&orders, declined, sample::event_stamp(1, 3)).await;
    assert_eq!(repeated.expect("an answer"), Outcome::AlreadyApplied);
    assert_eq!(find(&orders, 1).await, requested);
}

pub async fn a_report_about_an_unknown_order_is_refused<F: OrderingFixture>(fixture: &F) {
    let orders = fixture.orders();
    place(&orders, 1, Cause::Unkeyed).await;
    let unknown = report(2, 1, PharmacyNews::Confirmed);
    let cause = Cause::Event(unknown.event_id);
    let refused = follow_pharmacy(&orders, unknown, sample::event_stamp(2, 2)).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    assert_eq!(orders.find_answer(&cause).await.expect("an answer"), None);
}

fn report(n: u32, event: u32, news: PharmacyNews) -> PharmacyReport {
    PharmacyReport { event_id: sample::event_id(1_000, event), order_id: sample::order_id(n), news }
}

pub async fn notes_medications_and_customers_are_stored_unchanged<F: OrderingFixture>(fixture: &F) {
    let orders = fixture.orders();
    // Order 2 has all optional values, order 3 has none.
    let (with_all, with_none) = (sample::new_order(2), sample::new_order(3));
    let medications = |items: &OrderItems| -> Vec<_> {
        items.as_slice().iter().map(|item| item.medication.clone()).collect()
    };
    let given = medications(&with_all.items);
    let displays = given.iter().flatten().map(|coding| coding.display.is_some());
    assert_eq!(displays.collect::<Vec<_>>(), [true, false], "one of each kind");
    assert!(with_all.note.is_some() && with_none.note.is_none());
    assert!(with_all.customer_id.is_some() && with_none.customer_id.is_none());
    assert!(medications(&with_none.items).iter().all(Option::is_none));

    for (n, new) in [(2, with_all), (3, with_none)] {
        let placing = sample::request(&n.to_string(), "it");
        place(&orders, n, placing.clone()).await;
        cancel(&orders, n, Cause::Unkeyed).await;
        let answer = orders.find_answer(&placing).await.expect("an answer").expect("the order");
        for found in [find(&orders, n).await, answer] {
            assert_eq!(found.snapshot().note, new.note);
            assert_eq!(found.snapshot().items, new.items);
            assert_eq!(found.snapshot().customer_id, new.customer_id);
        }
    }
}

pub async fn texts_that_an_earlier_version_accepted_stay_readable<F: OrderingFixture>(fixture: &F) {
    let orders = fixture.orders();
    let text = "\u{202e}Ada\u{feff}";
    assert!(text.parse::<CustomerName>().is_err(), "today it is refused");
    let mut new = sample::new_order(2);
    new.customer_name = CustomerName::restore(text).expect("a name");
    new.note = Some(OrderNote::restore(text).expect("a note"));
    let mut items = new.items.as_slice().to_vec();
    for medication in items.iter_mut().filter_map(|item| item.medication.as_mut()) {
        medication.code = Code::restore(text).expect("a code");
        medication.display = Some(CodeDisplay::restore(text).expect("a display"));
    }
    new.items = OrderItems::try_from(items).expect("some items");
    let order = Order::place(new, sample::event_stamp(2, 1));
    stored(orders.save(order, Cause::Unkeyed).await);

    let mut order = find(&orders, 2).await;
    let reason = CancelReason::restore(text).expect("a reason");
    let requested = order.request_cancellation(reason, sample::event_stamp(2, 2));
    assert_eq!(requested, Ok(Outcome::Applied));
    let text = RejectionText::restore(text).expect("a text");
    let rejected = PharmacyNews::Rejected(Rejection { code: RejectionCode::Other, text });
    assert_eq!(order.follow(rejected, sample::event_stamp(2, 3)), Outcome::Applied);
    let saved = stored(orders.save(order, Cause::Unkeyed).await);
    assert_eq!(find(&orders, 2).await, saved);
}

pub async fn an_unknown_order_is_not_found<F: OrderingFixture>(fixture: &F) {
    let orders = fixture.orders();
    place(&orders, 1, Cause::Unkeyed).await;
    assert_eq!(orders.find(sample::order_id(2)).await.expect("an answer"), None);
}

pub async fn the_events_of_an_order_are_stored_with_it<F: OrderingFixture>(fixture: &F) {
    let orders = fixture.orders();
    place(&orders, 1, Cause::Unkeyed).await;
    cancel(&orders, 1, Cause::Unkeyed).await;

    let records = relay_all(fixture, 2).await;
    let events: Vec<_> = records.iter().map(|record| record.event_id).collect();
    assert_eq!(events, [sample::event_id(1, 1), sample::event_id(1, 2)]);
    assert!(records.iter().all(|record| record.aggregate_id == sample::order_id(1).get()));
    assert_eq!(records.iter().map(|record| record.aggregate_version).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(records[0].event_type, "OrderCreated");
    assert_eq!(records[1].event_type, "OrderCancelled");
    assert_eq!(records[1].occurred_at, sample::event_stamp(1, 2).at);
    assert_nothing_due(fixture).await;
}

pub async fn an_id_that_already_exists_is_a_conflict<F: OrderingFixture>(fixture: &F) {
    let orders = fixture.orders();
    let first = place(&orders, 1, Cause::Unkeyed).await;
    let mut new = sample::new_order(1);
    new.customer_name = "Somebody else".parse().expect("a name");
    let second = Order::place(new, sample::event_stamp(2, 1));

    assert_conflict(&orders.save(second, Cause::Unkeyed).await);
    assert_eq!(find(&orders, 1).await, first);
}

pub async fn a_concurrent_change_of_an_order_is_a_conflict<F: OrderingFixture>(fixture: &F) {
    let orders = fixture.orders();
    place(&orders, 1, Cause::Unkeyed).await;
    let (mut first, mut second) = (find(&orders, 1).await, find(&orders, 1).await);
    assert_eq!(first.follow(PharmacyNews::Cancelled, sample::event_stamp(1, 2)), Outcome::Applied);
    assert_eq!(second.follow(PharmacyNews::Cancelled, sample::event_stamp(1, 3)), Outcome::Applied);

    let second = stored(orders.save(second, Cause::Unkeyed).await);
    assert_conflict(&orders.save(first, Cause::Unkeyed).await);
    assert_eq!(find(&orders, 1).await, second);
}

pub async fn a_conflict_stores_neither_state_nor_event_nor_cause<F: OrderingFixture>(fixture: &F) {
    let orders = fixture.orders();
    let first = place(&orders, 1, Cause::Unkeyed).await;
    let cause = sample::request("k", "again");
    let second = Order::place(sample::new_order(1), sample::event_stamp(9, 1));
    assert_conflict(&orders.save(second, cause.clone()).await);

    assert_eq!(find(&orders, 1).await, first);
    assert_eq!(orders.find_answer(&cause).await.expect("an answer"), None);
    let records = relay_all(fixture, 1).await;
    assert_eq!(records[0].event_id, sample::event_id(1, 1));
    assert_nothing_due(fixture).await;
    // The cause was not stored, so it can be used for another order.
    place(&orders, 2, cause).await;
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

pub async fn exactly_one_of_several_parallel_saves_of_an_order_succeeds<F: OrderingFixture>(
    fixture: &F,
) {
    let orders = fixture.orders();
    place(&orders, 1, Cause::Unkeyed).await;
    let mut saves = Vec::new();
    for number in 2..10 {
        let mut order = find(&orders, 1).await;
        assert_eq!(
            order.follow(PharmacyNews::Cancelled, sample::event_stamp(1, number)),
            Outcome::Applied
        );
        saves.push(orders.save(order, Cause::Unkeyed));
    }
    let results = join_all(saves).await;

    let saved: Vec<Order> =
        results.into_iter().filter_map(|result| result.ok().map(order_of)).collect();
    assert_eq!(saved.len(), 1, "{saved:?}");
    assert_eq!(find(&orders, 1).await, saved[0]);
    assert_eq!(relay_all(fixture, 2).await.len(), 2);
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

fn answered_before(result: Result<Saved, SaveError>) -> Order {
    match result {
        Ok(Saved::AnsweredBefore(order)) => order,
        other => panic!("expected Saved::AnsweredBefore, not {other:?}"),
    }
}

fn assert_conflict(result: &Result<Saved, SaveError>) {
    assert!(matches!(result, Err(SaveError::VersionConflict)), "{result:?}");
}
