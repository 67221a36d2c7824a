//! Contract of [`Orders`]: an order and its events are saved in one transaction.

#![allow(missing_docs, reason = "each test name is a sentence")]

use domain::Outcome;
use domain::ordering::{
    CancelReason, Code, CodeDisplay, CustomerName, Order, OrderItems, OrderNote, PharmacyNews,
    Rejection, RejectionCode, RejectionText,
};
use futures_util::future::join_all;

use super::ordering_steps::{
    assert_nothing_due, cancel, find, order_of, place, relay_all, step, stored,
};
use super::{OrderStep, OrderingFixture, sample};
use crate::ordering::{Cause, Orders, SaveError, Saved};

/// Makes one `#[test]` per test function of [`orders_contract`](self): `(run, fixture)`.
#[macro_export]
macro_rules! orders_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, orders_contract:
            a_saved_order_is_found,
            every_state_of_an_order_is_stored_unchanged,
            notes_medications_and_customers_are_stored_unchanged,
            texts_that_an_earlier_version_accepted_stay_readable,
            an_unknown_order_is_not_found,
            the_events_of_an_order_are_stored_with_it,
            an_id_that_already_exists_is_a_conflict,
            a_concurrent_change_of_an_order_is_a_conflict,
            a_conflict_stores_neither_state_nor_event_nor_cause,
            exactly_one_of_several_parallel_saves_of_an_order_succeeds,
        }
    };
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

fn assert_conflict(result: &Result<Saved, SaveError>) {
    assert!(matches!(result, Err(SaveError::VersionConflict)), "{result:?}");
}
