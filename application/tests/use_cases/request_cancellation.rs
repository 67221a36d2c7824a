use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use application::StoreError;
use application::ordering::{
    Cause, FindAnswerError, Orders, PlaceOrder, RequestCancellation, RequestCancellationError,
    SaveError, Saved, place_order, request_cancellation,
};
use application::testing::{InMemoryOrdering, OrderStep, sample};
use domain::ordering::{CannotCancel, Order, OrderStatus, StatusName};
use domain::{OrderId, OrderVersion};

use crate::contended::Contended;
use crate::now;

fn placed(numbers: &[u32]) -> InMemoryOrdering {
    let store = InMemoryOrdering::default();
    for &n in numbers {
        let command = PlaceOrder { order: sample::new_order(n), key: None };
        now(place_order(&store, command, sample::event_stamp(n, 1))).unwrap();
    }
    store
}

fn command(n: u32) -> RequestCancellation {
    RequestCancellation {
        id: sample::order_id(n),
        reason: sample::reason(),
        expected: None,
        key: None,
    }
}

fn keyed(n: u32, key: &str) -> RequestCancellation {
    RequestCancellation { key: Some(sample::key(key)), ..command(n) }
}

fn request(
    store: &impl Orders,
    command: RequestCancellation,
) -> Result<Order, RequestCancellationError> {
    now(request_cancellation(store, command, sample::event_stamp(1, 2)))
}

#[test]
fn a_request_to_cancel_is_stored_with_its_event() {
    let store = placed(&[1]);
    let order = request(&store, command(1)).unwrap();
    assert!(matches!(order.snapshot().status(), OrderStatus::CancellationRequested { .. }));
    assert_eq!(now(store.find(order.id())).unwrap(), Some(order));
    assert_eq!(store.all_records().len(), 2);
}

#[test]
fn nobody_can_ask_to_cancel_an_order_that_does_not_exist() {
    let store = placed(&[1]);
    for command in [command(2), keyed(2, "k")] {
        assert!(matches!(request(&store, command), Err(RequestCancellationError::NotFound)));
    }
}

#[test]
fn a_request_is_stored_only_at_a_version_the_client_expects() {
    let store = placed(&[1]);
    let second = OrderVersion::FIRST.next();
    let refused =
        request(&store, RequestCancellation { expected: Some(vec![second]), ..command(1) });
    assert!(
        matches!(
            refused,
            Err(RequestCancellationError::OtherVersion { actual: OrderVersion::FIRST })
        ),
        "{refused:?}"
    );
    assert_eq!(store.all_records().len(), 1);

    let order = request(
        &store,
        RequestCancellation { expected: Some(vec![OrderVersion::FIRST]), ..command(1) },
    )
    .unwrap();
    assert_eq!(order.version(), second);
}

#[test]
fn a_second_request_returns_the_order_unchanged() {
    let store = placed(&[1]);
    let first = request(&store, command(1)).unwrap();
    let mut other_reason = command(1);
    other_reason.reason = "changed my mind".parse().unwrap();
    assert_eq!(request(&store, other_reason).unwrap(), first);
    assert_eq!(store.all_records().len(), 2);
}

#[test]
fn a_repeat_with_the_same_key_gets_the_original_answer_whatever_version_it_expects() {
    let store = placed(&[1]);
    let expecting =
        RequestCancellation { expected: Some(vec![OrderVersion::FIRST]), ..keyed(1, "k") };
    let first = request(&store, expecting.clone()).unwrap();
    assert_eq!(request(&store, expecting).unwrap(), first);
    assert_eq!(store.all_records().len(), 2);
}

#[test]
fn a_key_cannot_be_used_for_another_cancellation() {
    let store = placed(&[1, 2]);
    request(&store, keyed(1, "k")).unwrap();
    let mut other_reason = keyed(1, "k");
    other_reason.reason = "changed my mind".parse().unwrap();
    for command in [keyed(2, "k"), other_reason] {
        assert!(matches!(request(&store, command), Err(RequestCancellationError::KeyReused)));
    }
}

#[test]
fn a_key_is_stored_even_if_the_cancellation_was_already_requested() {
    let store = placed(&[1, 2]);
    let first = request(&store, command(1)).unwrap();
    assert_eq!(request(&store, keyed(1, "k")).unwrap(), first);
    assert!(matches!(request(&store, keyed(2, "k")), Err(RequestCancellationError::KeyReused)));
    assert_eq!(store.all_records().len(), 3, "two creations and one request");
}

fn in_status(status: StatusName) -> InMemoryOrdering {
    let store = placed(&[1]);
    for (step, version) in OrderStep::to(status).iter().zip(2..) {
        let mut order = now(store.find(sample::order_id(1))).unwrap().unwrap();
        step.take(&mut order, sample::event_stamp(1, version));
        now(store.save(order, Cause::Unkeyed)).unwrap();
    }
    store
}

#[test]
fn nobody_can_ask_to_cancel_an_order_that_is_completed_or_rejected() {
    for status in [StatusName::Completed, StatusName::Rejected] {
        let store = in_status(status);
        let before = store.all_records().len();
        for command in [command(1), keyed(1, "k")] {
            let refused = request(&store, command).unwrap_err();
            let RequestCancellationError::CannotCancel(CannotCancel::Final(name)) = refused else {
                panic!("{refused:?}")
            };
            assert_eq!(name, status);
        }
        assert_eq!(store.all_records().len(), before);
    }
}

#[test]
fn a_cancelled_order_is_returned_unchanged() {
    let store = in_status(StatusName::Cancelled);
    let before = now(store.find(sample::order_id(1))).unwrap().unwrap();
    assert_eq!(request(&store, command(1)).unwrap(), before);
    assert_eq!(request(&store, keyed(1, "k")).unwrap(), before);
}

#[test]
fn a_request_of_an_earlier_version_with_the_same_key_is_recognised() {
    let store = placed(&[1]);
    let order = request(&store, keyed(1, "k")).unwrap();
    let contents = format!("cancel order\n{}\nfor {}", order.id(), sample::reason());
    let answer = now(store.find_answer(&sample::request("k", &contents))).unwrap();
    assert_eq!(answer, Some(order));
}

#[test]
fn a_request_gets_the_answer_of_a_concurrent_retry_of_itself() {
    let expecting =
        RequestCancellation { expected: Some(vec![OrderVersion::FIRST]), ..keyed(1, "k") };
    let store = RetryIsFaster {
        store: placed(&[1]),
        retry: expecting.clone(),
        done: AtomicBool::new(false),
    };
    let order = request(&store, expecting).unwrap();
    assert_eq!(order.version(), OrderVersion::FIRST.next());
    assert_eq!(store.store.all_records().len(), 2);
}

#[test]
fn a_request_is_retried_after_a_version_conflict() {
    let store = Contended { store: placed(&[1]), conflicts: AtomicUsize::new(3) };
    let order = request(&store, command(1)).unwrap();
    assert!(matches!(order.snapshot().status(), OrderStatus::CancellationRequested { .. }));
    assert_eq!(store.store.all_records().len(), 2);
}

#[test]
fn a_request_fails_after_too_many_version_conflicts() {
    let store = Contended { store: placed(&[1]), conflicts: AtomicUsize::new(usize::MAX) };
    assert!(matches!(request(&store, command(1)), Err(RequestCancellationError::Contended)));
    assert_eq!(store.store.all_records().len(), 1);
}

/// A store in which a retry of the same request is saved just before `find`.
struct RetryIsFaster {
    store: InMemoryOrdering,
    retry: RequestCancellation,
    done: AtomicBool,
}

impl Orders for RetryIsFaster {
    async fn find(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        if !self.done.swap(true, Ordering::SeqCst) {
            request(&self.store, self.retry.clone()).unwrap();
        }
        self.store.find(id).await
    }

    async fn find_answer(&self, cause: &Cause) -> Result<Option<Order>, FindAnswerError> {
        self.store.find_answer(cause).await
    }

    async fn save(&self, order: Order, cause: Cause) -> Result<Saved, SaveError> {
        self.store.save(order, cause).await
    }
}
