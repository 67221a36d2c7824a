//! Contract of [`PharmacyViews`]: pages run from the newest to the oldest order, and have each
//! order once.

#![allow(missing_docs, reason = "each test name is a sentence")]

use domain::OrderId;
use domain::pharmacy::PharmacyOrder;

use super::pharmacy_orders_contract::{cancelled, created, revised};
use super::{PharmacyFixture, sample};
use crate::pharmacy::{PharmacyOrders, PharmacyViewStatus, PharmacyViews};

/// Makes one `#[test]` per test function of [`pharmacy_views_contract`](self): `(run, fixture)`.
#[macro_export]
macro_rules! pharmacy_views_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, pharmacy_views_contract:
            an_order_is_returned_as_it_was_saved,
            an_unknown_order_is_not_found,
            an_order_keeps_the_time_it_was_received,
            pages_have_every_order_once_newest_first,
            only_orders_of_the_requested_status_are_returned,
        }
    };
}

pub async fn an_order_is_returned_as_it_was_saved<F: PharmacyFixture>(fixture: &F) {
    save(fixture, &[created(1), cancelled(created(2))], 0).await;
    let views = fixture.views();
    for order in [created(1), cancelled(created(2))] {
        let view = views.view(order.id()).await.expect("an answer").expect("the order");
        assert_eq!(&view.order, order.snapshot());
    }
}

pub async fn an_unknown_order_is_not_found<F: PharmacyFixture>(fixture: &F) {
    save(fixture, &[created(1)], 0).await;
    assert_eq!(fixture.views().view(sample::order_id(2)).await.expect("an answer"), None);
}

pub async fn an_order_keeps_the_time_it_was_received<F: PharmacyFixture>(fixture: &F) {
    save(fixture, &[created(1)], 0).await;
    let first = fixture.views().view(sample::order_id(1)).await.expect("an answer");
    save(fixture, &[cancelled(created(1))], 1).await;
    let second = fixture.views().view(sample::order_id(1)).await.expect("an answer");
    assert_eq!(second.expect("the order").received_at, first.expect("the order").received_at);
}

pub async fn pages_have_every_order_once_newest_first<F: PharmacyFixture>(fixture: &F) {
    let orders: Vec<_> = (1..=7).map(created).collect();
    save(fixture, &orders, 0).await;
    let mut seen = Vec::new();
    let mut before = None;
    while seen.len() <= 7 {
        let page = page(fixture, None, before, 3).await;
        let Some(&last) = page.last() else { break };
        seen.extend(page);
        before = Some(last);
    }
    assert_eq!(seen, ids([7, 6, 5, 4, 3, 2, 1]));
}

pub async fn only_orders_of_the_requested_status_are_returned<F: PharmacyFixture>(fixture: &F) {
    save(fixture, &[created(1), cancelled(created(2)), created(3), cancelled(created(4))], 0).await;
    let (draft, cancelled_only) =
        (Some(PharmacyViewStatus::Draft), Some(PharmacyViewStatus::Cancelled));
    assert_eq!(page(fixture, draft, None, 10).await, ids([3, 1]));
    assert_eq!(page(fixture, cancelled_only, None, 10).await, ids([4, 2]));
    assert_eq!(page(fixture, cancelled_only, Some(sample::order_id(4)), 10).await, ids([2]));
    assert_eq!(page(fixture, None, None, 10).await, ids([4, 3, 2, 1]));
}

async fn save<F: PharmacyFixture>(fixture: &F, orders: &[PharmacyOrder], revision: i64) {
    fixture.orders().save_all(&revised(orders, revision), &[]).await.expect("saved");
}

async fn page<F: PharmacyFixture>(
    fixture: &F,
    status: Option<PharmacyViewStatus>,
    before: Option<OrderId>,
    limit: usize,
) -> Vec<OrderId> {
    let page = fixture.views().newest(status, before, limit).await.expect("a page");
    page.into_iter().map(|view| view.order.id).collect()
}

fn ids<const N: usize>(numbers: [u32; N]) -> Vec<OrderId> {
    numbers.into_iter().map(sample::order_id).collect()
}
