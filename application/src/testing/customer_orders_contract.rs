//! Contract of [`CustomerOrders`]: each order of a customer is found, and the answers about redacted orders
//! have none of the texts of people.

#![allow(missing_docs, reason = "each test name is a sentence")]

use domain::OrderId;
use domain::ordering::Order;

use super::ordering_steps::{find, order_of, place, step};
use super::{OrderStep, OrderingFixture, sample};
use crate::ordering::{Cause, CustomerOrders, Orders};

/// Makes one `#[test]` per test function of [`customer_orders_contract`](self): `(run, fixture)`.
#[macro_export]
macro_rules! customer_orders_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, customer_orders_contract:
            pages_have_every_order_of_the_customer_once,
            a_customer_without_orders_has_an_empty_page,
            an_order_stays_the_orders_of_its_customer_when_it_changes,
            every_answer_about_a_redacted_order_is_redacted,
            a_repeated_request_about_a_redacted_order_gets_its_redacted_answer,
            answers_about_orders_that_are_not_redacted_stay_the_same,
            redacted_answers_are_counted_once,
        }
    };
}

/// The orders of customer 1 and those of customer 2.
const OF_CUSTOMERS: [[u32; 3]; 2] = [[2, 4, 6], [8, 10, 12]];

async fn place_all<F: OrderingFixture>(fixture: &F) {
    for n in 1..=12 {
        place(&fixture.orders(), n, Cause::Unkeyed).await;
    }
}

pub async fn pages_have_every_order_of_the_customer_once<F: OrderingFixture>(fixture: &F) {
    place_all(fixture).await;
    let customers = fixture.customers();
    for (customer, numbers) in (1..).zip(OF_CUSTOMERS) {
        let expected = numbers.map(sample::order_id);
        for limit in 1..=4 {
            let (mut found, mut after) = (Vec::<OrderId>::new(), None);
            loop {
                let page = customers.page(&sample::customer_id(customer), after, limit).await;
                let page = page.expect("a page");
                assert!(page.len() <= limit, "{page:?}");
                let Some(last) = page.last() else { break };
                after = Some(*last);
                found.extend(page);
            }
            assert_eq!(found, expected, "pages of {limit}");
        }
    }
}

pub async fn a_customer_without_orders_has_an_empty_page<F: OrderingFixture>(fixture: &F) {
    place_all(fixture).await;
    let page = fixture.customers().page(&sample::customer_id(3), None, 10).await;
    assert_eq!(page.expect("a page"), []);
    let changed = fixture.customers().redact_answers(&sample::customer_id(3)).await;
    assert_eq!(changed.expect("an answer"), 0);
}

pub async fn an_order_stays_the_orders_of_its_customer_when_it_changes<F: OrderingFixture>(
    fixture: &F,
) {
    let orders = fixture.orders();
    place(&orders, 2, Cause::Unkeyed).await;
    for one in [OrderStep::RequestCancellation, OrderStep::Redact] {
        step(&orders, 2, &one, Cause::Unkeyed).await;
        let page = fixture.customers().page(&sample::customer_id(1), None, 10).await;
        assert_eq!(page.expect("a page"), [sample::order_id(2)]);
        let found = find(&orders, 2).await;
        assert_eq!(found.snapshot().customer_id, Some(sample::customer_id(1)));
    }
}

/// The order with redacted texts, otherwise unchanged.
fn redacted(order: &Order) -> Order {
    let mut state = order.snapshot().clone();
    state.redact_texts();
    Order::restore(state).expect("a valid order")
}

/// Order 2 in each of its states, saved and answered with the cause of the index, then redacted.
async fn redacted_after<F: OrderingFixture>(fixture: &F, steps: &[OrderStep]) -> Vec<Order> {
    let orders = fixture.orders();
    let mut answered = vec![place(&orders, 2, cause(0)).await];
    for (one, number) in steps.iter().zip(1..) {
        answered.push(step(&orders, 2, one, cause(number)).await);
    }
    step(&orders, 2, &OrderStep::Redact, Cause::Unkeyed).await;
    answered
}

/// A request, or an event of another context.
fn cause(number: usize) -> Cause {
    let n = u32::try_from(number).expect("a small number");
    match number {
        0 => sample::request("place", "it"),
        1 => sample::request("next", "it"),
        _ => Cause::Event(sample::event_id(900, n)),
    }
}

pub async fn every_answer_about_a_redacted_order_is_redacted<F: OrderingFixture>(fixture: &F) {
    let steps = OrderStep::sequences();
    let rejected_on_request = &steps[6];
    let answered = redacted_after(fixture, rejected_on_request).await;
    let changed = fixture.customers().redact_answers(&sample::customer_id(1)).await;
    assert_eq!(changed.expect("an answer"), answered.len() as u64);
    for (number, order) in answered.iter().enumerate() {
        let answer = fixture.orders().find_answer(&cause(number)).await.expect("an answer");
        let answer = answer.expect("the order");
        assert_ne!(&answer, order);
        assert_eq!(answer, redacted(order));
        assert_eq!(answer.version(), order.version());
    }
}

pub async fn a_repeated_request_about_a_redacted_order_gets_its_redacted_answer<
    F: OrderingFixture,
>(
    fixture: &F,
) {
    let answered = redacted_after(fixture, &[]).await;
    fixture.customers().redact_answers(&sample::customer_id(1)).await.expect("an answer");
    let again = fixture.orders().save(sample::order(3), cause(0)).await.expect("an answer");
    assert_eq!(order_of(again), redacted(&answered[0]));
    assert_eq!(fixture.orders().find(sample::order_id(3)).await.expect("an answer"), None);
}

pub async fn answers_about_orders_that_are_not_redacted_stay_the_same<F: OrderingFixture>(
    fixture: &F,
) {
    let orders = fixture.orders();
    // Order 4 is of the same customer, 8 of another one, and 3 of none.
    let others = [3, 4, 8].map(|n| (n, sample::request(&n.to_string(), "it")));
    let mut answered = Vec::new();
    for (n, cause) in &others {
        answered.push(place(&orders, *n, cause.clone()).await);
    }
    step(&orders, 8, &OrderStep::Redact, Cause::Unkeyed).await;
    redacted_after(fixture, &[]).await;
    let changed = fixture.customers().redact_answers(&sample::customer_id(1)).await;
    assert_eq!(changed.expect("an answer"), 1);
    for ((_, cause), order) in others.iter().zip(answered) {
        let answer = orders.find_answer(cause).await.expect("an answer");
        assert_eq!(answer, Some(order));
    }
}

pub async fn redacted_answers_are_counted_once<F: OrderingFixture>(fixture: &F) {
    redacted_after(fixture, &[OrderStep::RequestCancellation]).await;
    for expected in [2, 0] {
        let changed = fixture.customers().redact_answers(&sample::customer_id(1)).await;
        assert_eq!(changed.expect("an answer"), expected);
    }
}
