//! Contract of [`OrderViews`]: pages run from the newest to the oldest order, and have each order
//! once.

#![allow(missing_docs, reason = "each test name is a sentence")]

use domain::OrderId;
use domain::ordering::StatusName;

use super::ordering_steps::{cancel, place, step};
use super::{OrderStep, OrderingFixture, sample};
use crate::ordering::{Cause, OrderViews};

/// Makes one `#[test]` per test function of [`order_views_contract`](self): `(run, fixture)`.
#[macro_export]
macro_rules! order_views_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, order_views_contract:
            an_order_is_returned_as_it_was_saved,
            an_unknown_order_is_not_found,
            the_newest_order_comes_first,
            pages_have_every_order_once,
            a_page_does_not_change_when_newer_orders_arrive,
            only_orders_of_the_requested_status_are_returned,
            orders_of_each_status_are_returned,
        }
    };
}

pub async fn an_order_is_returned_as_it_was_saved<F: OrderingFixture>(fixture: &F) {
    let orders = fixture.orders();
    let placed = place(&orders, 1, Cause::Unkeyed).await;
    let views = fixture.views();
    let view = views.view(sample::order_id(1)).await.expect("an answer");
    assert_eq!(view.as_ref(), Some(placed.snapshot()));
    assert_eq!(views.newest(None, None, 10).await.expect("a page"), [placed.snapshot().clone()]);

    let cancelled = cancel(&orders, 1, Cause::Unkeyed).await;
    let view = views.view(sample::order_id(1)).await.expect("an answer");
    assert_eq!(view.as_ref(), Some(cancelled.snapshot()));
}

pub async fn an_unknown_order_is_not_found<F: OrderingFixture>(fixture: &F) {
    let views = fixture.views();
    assert_eq!(views.view(sample::order_id(1)).await.expect("an answer"), None);
    assert_eq!(views.newest(None, None, 10).await.expect("a page"), []);
}

pub async fn the_newest_order_comes_first<F: OrderingFixture>(fixture: &F) {
    place_all(fixture, [2, 3, 1]).await;
    assert_eq!(page(fixture, None, None, 2).await, ids([3, 2]));
}

pub async fn pages_have_every_order_once<F: OrderingFixture>(fixture: &F) {
    place_all(fixture, 1..=7).await;
    let mut seen = Vec::new();
    let mut before = None;
    while seen.len() <= 7 {
        let page = page(fixture, None, before, 3).await;
        let Some(&last) = page.last() else { break };
        seen.extend(page);
        before = Some(last);
    }
    assert_eq!(seen, ids((1..=7).rev()));
}

pub async fn a_page_does_not_change_when_newer_orders_arrive<F: OrderingFixture>(fixture: &F) {
    place_all(fixture, 1..=4).await;
    let before = Some(sample::order_id(3));
    let page_before = page(fixture, None, before, 2).await;
    place_all(fixture, 5..=8).await;
    assert_eq!(page_before, ids([2, 1]));
    assert_eq!(page(fixture, None, before, 2).await, page_before);
}

pub async fn only_orders_of_the_requested_status_are_returned<F: OrderingFixture>(fixture: &F) {
    place_all(fixture, 1..=6).await;
    for n in [2, 5] {
        cancel(&fixture.orders(), n, Cause::Unkeyed).await;
    }
    let (created, cancelled) = (Some(StatusName::Created), Some(StatusName::Cancelled));
    assert_eq!(page(fixture, created, None, 10).await, ids([6, 4, 3, 1]));
    assert_eq!(page(fixture, cancelled, None, 10).await, ids([5, 2]));
    let before = Some(sample::order_id(5));
    assert_eq!(page(fixture, created, before, 2).await, ids([4, 3]));
    assert_eq!(page(fixture, cancelled, before, 2).await, ids([2]));
}

pub async fn orders_of_each_status_are_returned<F: OrderingFixture>(fixture: &F) {
    let orders = fixture.orders();
    for (status, n) in StatusName::ALL.into_iter().zip(1..) {
        place(&orders, n, Cause::Unkeyed).await;
        for one in OrderStep::to(status) {
            step(&orders, n, &one, Cause::Unkeyed).await;
        }
    }
    for (status, n) in StatusName::ALL.into_iter().zip(1..) {
        assert_eq!(page(fixture, Some(status), None, 10).await, ids([n]), "{status}");
    }
}

async fn place_all<F: OrderingFixture>(fixture: &F, numbers: impl IntoIterator<Item = u32>) {
    let orders = fixture.orders();
    for n in numbers {
        place(&orders, n, Cause::Unkeyed).await;
    }
}

async fn page<F: OrderingFixture>(
    fixture: &F,
    status: Option<StatusName>,
    before: Option<OrderId>,
    limit: usize,
) -> Vec<OrderId> {
    let page = fixture.views().newest(status, before, limit).await.expect("a page");
    page.into_iter().map(|order| order.id).collect()
}

fn ids(numbers: impl IntoIterator<Item = u32>) -> Vec<OrderId> {
    numbers.into_iter().map(sample::order_id).collect()
}
