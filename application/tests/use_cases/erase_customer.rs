use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use application::StoreError;
use application::ordering::{Cause, CustomerOrders, ErasedCustomer, Orders, Saved, erase_customer};
use application::testing::{InMemoryOrdering, OrderStep, sample};
use domain::ordering::{NewOrder, Order};
use domain::{CustomerId, EventStamp, OrderId, REDACTED_TEXT};

use crate::contended::Contended;
use crate::now;

fn save(store: &InMemoryOrdering, order: Order, cause: Cause) {
    assert!(matches!(now(store.save(order, cause)), Ok(Saved::Stored(_))));
}

/// The sample orders with these numbers. Orders 2, 4 and 6 are of customer 1.
fn placed(numbers: &[u32]) -> InMemoryOrdering {
    let store = InMemoryOrdering::default();
    for &n in numbers {
        save(&store, sample::order(n), sample::request(&n.to_string(), "it"));
    }
    store
}

/// A stamp that no other event has.
fn event_stamp() -> EventStamp {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    sample::event_stamp(1_000_000, NEXT.fetch_add(1, Ordering::SeqCst))
}

fn erase(store: &(impl Orders + CustomerOrders)) -> Result<ErasedCustomer, StoreError> {
    now(erase_customer(store, &sample::customer_id(1), event_stamp))
}

fn find(store: &InMemoryOrdering, n: u32) -> Order {
    now(store.find(sample::order_id(n))).unwrap().unwrap()
}

#[test]
fn all_orders_of_the_customer_and_the_answers_about_them_are_redacted() {
    let store = placed(&[1, 2, 3, 4, 6, 8]);
    let erased = erase(&store).unwrap();
    assert_eq!(erased, ErasedCustomer { redacted: 3, redacted_before: 0, answers: 3 });
    for n in [2, 4, 6] {
        let order = find(&store, n);
        assert_eq!(order.snapshot().customer_name.as_str(), REDACTED_TEXT);
        assert_eq!(order.snapshot().note, None);
        let answer = now(store.find_answer(&sample::request(&n.to_string(), "it"))).unwrap();
        assert_eq!(answer.unwrap().snapshot().customer_name.as_str(), REDACTED_TEXT);
    }
    for n in [1, 3, 8] {
        assert_eq!(find(&store, n), sample::order(n).saved(), "an order of another customer");
    }
    let redacted = store.all_records().into_iter().filter(|it| it.event_type == "OrderRedacted");
    let orders: Vec<_> = redacted.map(|it| OrderId::new(it.aggregate_id)).collect();
    assert_eq!(orders, [2, 4, 6].map(sample::order_id));
}

#[test]
fn a_repeat_changes_nothing_and_redacts_what_was_placed_since() {
    let store = placed(&[2, 4]);
    erase(&store).unwrap();
    let records = store.all_records();
    let again = erase(&store).unwrap();
    assert_eq!(again, ErasedCustomer { redacted: 0, redacted_before: 2, answers: 0 });
    assert_eq!(store.all_records(), records);

    save(&store, sample::order(6), Cause::Unkeyed);
    let again = erase(&store).unwrap();
    assert_eq!(again, ErasedCustomer { redacted: 1, redacted_before: 2, answers: 0 });
}

#[test]
fn a_customer_without_orders_has_nothing_to_erase() {
    let store = placed(&[1, 8]);
    assert_eq!(erase(&store).unwrap(), ErasedCustomer::default());
    assert_eq!(store.all_records().len(), 2);
}

#[test]
fn an_order_is_redacted_in_each_of_its_states() {
    for steps in OrderStep::sequences() {
        for end in 0..=steps.len() {
            let steps = &steps[..end];
            let store = InMemoryOrdering::default();
            let mut order = sample::order(2);
            for (step, version) in steps.iter().zip(2..) {
                step.take(&mut order, sample::event_stamp(2, version));
            }
            let status = order.snapshot().status().name();
            save(&store, order, Cause::Unkeyed);
            erase(&store).unwrap();
            let order = find(&store, 2);
            let state = order.snapshot();
            assert!(state.redacted_at.is_some(), "{steps:?}");
            assert_eq!(state.status().name(), status, "{steps:?}");
            let mut redacted = state.clone();
            redacted.redact_texts();
            assert_eq!(state, &redacted, "{steps:?}");
        }
    }
}

/// An order of customer 1.
fn order_of_customer(n: u32) -> Order {
    let customer_id: Option<CustomerId> = Some(sample::customer_id(1));
    let new = NewOrder { customer_id, ..sample::new_order(n) };
    Order::place(new, sample::event_stamp(n, 1))
}

#[test]
fn all_orders_of_a_customer_with_many_orders_are_redacted() {
    let store = InMemoryOrdering::default();
    for n in 1..=250 {
        save(&store, order_of_customer(n), Cause::Unkeyed);
    }
    assert_eq!(erase(&store).unwrap().redacted, 250);
    assert!((1..=250).all(|n| find(&store, n).snapshot().redacted_at.is_some()));
}

#[test]
fn an_order_is_redacted_after_version_conflicts() {
    let store = Contended { store: placed(&[2]), conflicts: AtomicUsize::new(3) };
    assert_eq!(erase(&store).unwrap().redacted, 1);
    assert_eq!(store.store.all_records().len(), 2);
}

#[test]
fn too_many_version_conflicts_are_an_error_and_a_repeat_continues() {
    let store = Contended { store: placed(&[2, 4]), conflicts: AtomicUsize::new(usize::MAX) };
    assert!(matches!(erase(&store), Err(StoreError::Unavailable(_))));
    store.conflicts.store(0, Ordering::SeqCst);
    assert_eq!(erase(&store).unwrap().redacted, 2);
}
