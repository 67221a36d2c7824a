use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use application::StoreError;
use application::ordering::{
    CancelOrder, CancelOrderError, Cause, FindAnswerError, Orders, PlaceOrder, SaveError, Saved,
    cancel_order, place_order,
};
use application::testing::{InMemoryOrdering, sample};
use domain::ordering::{Order, OrderStatus};
use domain::{OrderId, OrderVersion};

use crate::now;

fn placed(numbers: &[u32]) -> InMemoryOrdering {
    let store = InMemoryOrdering::default();
    for &n in numbers {
        let command = PlaceOrder { order: sample::new_order(n), key: None };
        now(place_order(&store, command, sample::event_stamp(n, 1))).unwrap();
    }
    store
}

fn command(n: u32) -> CancelOrder {
    CancelOrder { id: sample::order_id(n), reason: sample::reason(), expected: None, key: None }
}

fn keyed(n: u32, key: &str) -> CancelOrder {
    CancelOrder { key: Some(sample::key(key)), ..command(n) }
}

fn cancel(store: &impl Orders, command: CancelOrder) -> Result<Order, CancelOrderError> {
    now(cancel_order(store, command, sample::event_stamp(1, 2)))
}

#[test]
fn a_cancelled_order_is_stored_with_its_event() {
    let store = placed(&[1]);
    let order = cancel(&store, command(1)).unwrap();
    assert!(matches!(order.snapshot().status, OrderStatus::Cancelled { .. }));
    assert_eq!(now(store.find(order.id())).unwrap(), Some(order));
    assert_eq!(store.all_records().len(), 2);
}

#[test]
fn an_order_that_does_not_exist_cannot_be_cancelled() {
    let store = placed(&[1]);
    for command in [command(2), keyed(2, "k")] {
        assert!(matches!(cancel(&store, command), Err(CancelOrderError::NotFound)));
    }
}

#[test]
fn an_order_is_cancelled_only_at_a_version_the_client_expects() {
    let store = placed(&[1]);
    let second = OrderVersion::FIRST.next();
    let refused = cancel(&store, CancelOrder { expected: Some(vec![second]), ..command(1) });
    assert!(
        matches!(refused, Err(CancelOrderError::OtherVersion { actual: OrderVersion::FIRST })),
        "{refused:?}"
    );
    assert_eq!(store.all_records().len(), 1);

    let order =
        cancel(&store, CancelOrder { expected: Some(vec![OrderVersion::FIRST]), ..command(1) })
            .unwrap();
    assert_eq!(order.version(), second);
}

#[test]
fn cancelling_again_returns_the_order_unchanged() {
    let store = placed(&[1]);
    let first = cancel(&store, command(1)).unwrap();
    let mut other_reason = command(1);
    other_reason.reason = "changed my mind".parse().unwrap();
    assert_eq!(cancel(&store, other_reason).unwrap(), first);
    assert_eq!(store.all_records().len(), 2);
}

#[test]
fn a_repeat_with_the_same_key_gets_the_original_answer_whatever_version_it_expects() {
    let store = placed(&[1]);
    let expecting = CancelOrder { expected: Some(vec![OrderVersion::FIRST]), ..keyed(1, "k") };
    let first = cancel(&store, expecting.clone()).unwrap();
    assert_eq!(cancel(&store, expecting).unwrap(), first);
    assert_eq!(store.all_records().len(), 2);
}

#[test]
fn a_key_cannot_be_used_for_another_cancellation() {
    let store = placed(&[1, 2]);
    cancel(&store, keyed(1, "k")).unwrap();
    let mut other_reason = keyed(1, "k");
    other_reason.reason = "changed my mind".parse().unwrap();
    for command in [keyed(2, "k"), other_reason] {
        assert!(matches!(cancel(&store, command), Err(CancelOrderError::KeyReused)));
    }
}

#[test]
fn a_key_is_stored_even_if_the_order_was_already_cancelled() {
    let store = placed(&[1, 2]);
    let first = cancel(&store, command(1)).unwrap();
    assert_eq!(cancel(&store, keyed(1, "k")).unwrap(), first);
    assert!(matches!(cancel(&store, keyed(2, "k")), Err(CancelOrderError::KeyReused)));
    assert_eq!(store.all_records().len(), 3, "two creations and one cancellation");
}

#[test]
fn a_request_gets_the_answer_of_a_concurrent_retry_of_itself() {
    let expecting = CancelOrder { expected: Some(vec![OrderVersion::FIRST]), ..keyed(1, "k") };
    let store = RetryIsFaster {
        store: placed(&[1]),
        retry: expecting.clone(),
        done: AtomicBool::new(false),
    };
    let order = cancel(&store, expecting).unwrap();
    assert_eq!(order.version(), OrderVersion::FIRST.next());
    assert_eq!(store.store.all_records().len(), 2);
}

#[test]
fn a_cancellation_is_retried_after_a_version_conflict() {
    let store = Contended { store: placed(&[1]), conflicts: AtomicUsize::new(3) };
    let order = cancel(&store, command(1)).unwrap();
    assert!(matches!(order.snapshot().status, OrderStatus::Cancelled { .. }));
    assert_eq!(store.store.all_records().len(), 2);
}

#[test]
fn a_cancellation_fails_after_too_many_version_conflicts() {
    let store = Contended { store: placed(&[1]), conflicts: AtomicUsize::new(usize::MAX) };
    assert!(matches!(cancel(&store, command(1)), Err(CancelOrderError::Contended)));
    assert_eq!(store.store.all_records().len(), 1);
}

/// A store in which a retry of the same request is saved just before `find`.
struct RetryIsFaster {
    store: InMemoryOrdering,
    retry: CancelOrder,
    done: AtomicBool,
}

impl Orders for RetryIsFaster {
    async fn find(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        if !self.done.swap(true, Ordering::SeqCst) {
            cancel(&self.store, self.retry.clone()).unwrap();
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

/// A store that returns a version conflict for the first saves.
struct Contended {
    store: InMemoryOrdering,
    conflicts: AtomicUsize,
}

impl Orders for Contended {
    async fn find(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        self.store.find(id).await
    }

    async fn find_answer(&self, cause: &Cause) -> Result<Option<Order>, FindAnswerError> {
        self.store.find_answer(cause).await
    }

    async fn save(&self, order: Order, cause: Cause) -> Result<Saved, SaveError> {
        let left = self.conflicts.load(Ordering::SeqCst);
        if left > 0 {
            self.conflicts.store(left - 1, Ordering::SeqCst);
            return Err(SaveError::VersionConflict);
        }
        self.store.save(order, cause).await
    }
}
