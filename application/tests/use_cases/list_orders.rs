use application::ordering::{
    ListOrders, PlaceOrder, RequestCancellation, list_orders, place_order, request_cancellation,
};
use application::paging::{Page, PageLimit};
use application::testing::{InMemoryOrdering, sample};
use domain::OrderId;
use domain::ordering::{OrderSnapshot, StatusName};

use crate::now;

fn placed(n: u32) -> InMemoryOrdering {
    let store = InMemoryOrdering::default();
    for n in 1..=n {
        place(&store, n);
    }
    store
}

fn place(store: &InMemoryOrdering, n: u32) {
    let command = PlaceOrder { order: sample::new_order(n), key: None };
    now(place_order(store, command, sample::event_stamp(n, 1))).unwrap();
}

fn page(store: &InMemoryOrdering, limit: i64, cursor: Option<OrderId>) -> Page<OrderSnapshot> {
    let limit = PageLimit::try_from(limit).unwrap();
    now(list_orders(store, ListOrders { status: None, cursor, limit })).unwrap()
}

fn ids(page: &Page<OrderSnapshot>) -> Vec<OrderId> {
    page.items.iter().map(|order| order.id).collect()
}

#[test]
fn the_last_page_has_no_next_cursor() {
    let store = placed(4);
    assert_eq!(page(&store, 5, None).next, None);
    assert_eq!(page(&store, 4, None).next, None, "a full page is not followed by an empty one");
    assert_eq!(page(&store, 3, None).next, Some(sample::order_id(2)));
    assert_eq!(page(&placed(0), 3, None), Page { items: Vec::new(), next: None });
}

#[test]
fn pages_have_every_order_once_while_new_orders_arrive() {
    let store = placed(10);
    let first = page(&store, 4, None);
    place(&store, 11);
    let second = page(&store, 4, first.next);
    place(&store, 12);
    let third = page(&store, 4, second.next);
    let shown: Vec<OrderId> = [&first, &second, &third].into_iter().flat_map(ids).collect();
    assert_eq!(shown, (1..=10).rev().map(sample::order_id).collect::<Vec<_>>());
    assert_eq!(third.next, None);
}

#[test]
fn pages_of_one_status_have_no_other_orders() {
    let store = placed(6);
    for n in [1, 4, 6] {
        let command = RequestCancellation {
            id: sample::order_id(n),
            reason: sample::reason(),
            expected: None,
            key: None,
        };
        now(request_cancellation(&store, command, sample::event_stamp(n, 2))).unwrap();
    }
    let limit = PageLimit::try_from(2).unwrap();
    let mut query =
        ListOrders { status: Some(StatusName::CancellationRequested), cursor: None, limit };
    let first = now(list_orders(&store, query)).unwrap();
    assert_eq!(ids(&first), [sample::order_id(6), sample::order_id(4)]);
    query.cursor = first.next;
    let second = now(list_orders(&store, query)).unwrap();
    assert_eq!(ids(&second), [sample::order_id(1)]);
    assert_eq!(second.next, None);
}

#[test]
fn a_page_has_1_to_100_entries() {
    for refused in [i64::MIN, -1, 0, 101, i64::MAX] {
        assert!(PageLimit::try_from(refused).is_err(), "{refused}");
    }
    for number in [1, 100] {
        assert_eq!(i64::try_from(PageLimit::try_from(number).unwrap().get()), Ok(number));
    }
    assert_eq!(PageLimit::default().get(), 20);
}
