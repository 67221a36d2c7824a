//! Contract of [`PharmacyViews`]: pages run from the newest to the oldest order, and have each
//! order once.

#![allow(missing_docs, reason = "each test name is a sentence")]

use domain::OrderId;
use domain::pharmacy::{Command, PharmacyOrder};

use super::pharmacy_orders_contract::{cancelled, created, revised};
use super::{PharmacyFixture, sample};
use crate::pharmacy::{OpenWork, PharmacyOrders, PharmacyViews, Sequence, WorkState};

/// Makes one `#[test]` per test function of [`pharmacy_views_contract`](self): `(run, fixture)`.
#[macro_export]
macro_rules! pharmacy_views_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, pharmacy_views_contract:
            an_order_is_returned_as_it_was_saved,
            an_unknown_order_is_not_found,
            an_order_keeps_the_time_it_was_received,
            pages_have_every_order_once_newest_first,
            pages_can_begin_with_the_oldest_order,
            only_orders_of_the_requested_states_are_returned,
            the_worklist_counts_open_orders_by_state,
        }
    };
}

pub async fn an_order_is_returned_as_it_was_saved<F: PharmacyFixture>(fixture: &F) {
    save(fixture, &[created(1), cancelled(created(2))], 0).await;
    let views = fixture.views();
    for order in [created(1), cancelled(created(2))] {
        let view = views.view(order.id()).await.expect("an answer").expect("the order");
        assert_eq!((&view.order, &view.work), (order.snapshot(), order.work()));
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
        let page = page(fixture, &WorkState::ALL, Sequence::NewestFirst, before, 3).await;
        let Some(&last) = page.last() else { break };
        seen.extend(page);
        before = Some(last);
    }
    assert_eq!(seen, ids([7, 6, 5, 4, 3, 2, 1]));
}

pub async fn pages_can_begin_with_the_oldest_order<F: PharmacyFixture>(fixture: &F) {
    save(fixture, &[created(1), created(2), cancelled(created(3)), created(4)], 0).await;
    let draft = [WorkState::Draft];
    assert_eq!(page(fixture, &draft, Sequence::OldestFirst, None, 2).await, ids([1, 2]));
    let after = Some(sample::order_id(2));
    assert_eq!(page(fixture, &draft, Sequence::OldestFirst, after, 2).await, ids([4]));
}

pub async fn only_orders_of_the_requested_states_are_returned<F: PharmacyFixture>(fixture: &F) {
    let orders = [created(1), cancelled(created(2)), confirmed(3), cancelled(created(4))];
    save(fixture, &orders, 0).await;
    let newest = Sequence::NewestFirst;
    let (draft, cancelled_only) = ([WorkState::Draft], [WorkState::Cancelled]);
    let both = [WorkState::Confirmed, WorkState::Draft];
    let four = Some(sample::order_id(4));
    assert_eq!(page(fixture, &draft, newest, None, 10).await, ids([1]));
    assert_eq!(page(fixture, &both, newest, None, 10).await, ids([3, 1]));
    assert_eq!(page(fixture, &both, newest, None, 1).await, ids([3]));
    assert_eq!(page(fixture, &cancelled_only, newest, None, 10).await, ids([4, 2]));
    assert_eq!(page(fixture, &cancelled_only, newest, four, 10).await, ids([2]));
    assert_eq!(page(fixture, &WorkState::ALL, newest, None, 10).await, ids([4, 3, 2, 1]));
}

pub async fn the_worklist_counts_open_orders_by_state<F: PharmacyFixture>(fixture: &F) {
    let count = |work: Vec<OpenWork>| -> Vec<(WorkState, u64, bool)> {
        work.iter().map(|it| (it.state, it.orders, it.oldest.is_some())).collect()
    };
    let empty = WorkState::OPEN.map(|state| (state, 0, false));
    assert_eq!(count(fixture.views().worklist().await.expect("a worklist")), empty);
    let orders = [created(1), cancelled(created(2)), confirmed(3), created(4)];
    save(fixture, &orders, 0).await;
    let expected = [
        (WorkState::Draft, 2, true),
        (WorkState::Confirmed, 1, true),
        (WorkState::InPreparation, 0, false),
        (WorkState::Ready, 0, false),
    ];
    assert_eq!(count(fixture.views().worklist().await.expect("a worklist")), expected);
}

fn confirmed(n: u32) -> PharmacyOrder {
    let mut order = created(n);
    assert!(order.carry_out(Command::Confirm, sample::event_stamp(n, 11)).is_ok());
    order
}

async fn save<F: PharmacyFixture>(fixture: &F, orders: &[PharmacyOrder], revision: i64) {
    fixture.orders().save_all(&revised(orders, revision), &[]).await.expect("saved");
}

async fn page<F: PharmacyFixture>(
    fixture: &F,
    states: &[WorkState],
    sequence: Sequence,
    after: Option<OrderId>,
    limit: usize,
) -> Vec<OrderId> {
    let page = fixture.views().page(states, sequence, after, limit).await.expect("a page");
    page.into_iter().map(|view| view.order.id).collect()
}

fn ids<const N: usize>(numbers: [u32; N]) -> Vec<OrderId> {
    numbers.into_iter().map(sample::order_id).collect()
}
