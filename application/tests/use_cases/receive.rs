use std::sync::Mutex;

use application::StoreError;
use application::inbox::{BatchOutcome, Inbox, receive};
use application::pharmacy::{
    OrderRevision, PharmacyOrders, PharmacyViews, ReceiveOrders, SaveAllError, Sequence, WorkState,
};
use application::published::{DeadLetter, PublishedEvent};
use application::testing::sample::{cancelled, created, incoming, of_unknown_type, unreadable};
use application::testing::{InMemoryPharmacy, sample};
use domain::pharmacy::WorkStatus;
use domain::{EventId, OrderId};

use crate::now;

/// An inbox that refuses one event.
struct RefusingInbox {
    store: ReceiveOrders<InMemoryPharmacy>,
    refused_event: EventId,
    calls: Mutex<usize>,
}

#[derive(Debug, thiserror::Error)]
#[error("the row does not fit")]
struct DoesNotFit(#[source] std::num::TryFromIntError);

fn does_not_fit() -> DoesNotFit {
    DoesNotFit(u8::try_from(256).unwrap_err())
}

impl Inbox for RefusingInbox {
    async fn apply_batch(
        &self,
        events: &[PublishedEvent],
        dead: &[DeadLetter],
    ) -> Result<BatchOutcome, StoreError> {
        *self.calls.lock().unwrap() += 1;
        if events.iter().any(|event| event.event_id == self.refused_event) {
            return Err(StoreError::Refused(Box::new(does_not_fit())));
        }
        self.store.apply_batch(events, dead).await
    }
}

fn refusing_inbox(refused_event: &PublishedEvent) -> (InMemoryPharmacy, RefusingInbox) {
    let store = InMemoryPharmacy::default();
    let inbox = RefusingInbox {
        store: ReceiveOrders { orders: store.clone(), now: sample::now },
        refused_event: refused_event.event_id,
        calls: Mutex::new(0),
    };
    (store, inbox)
}

fn seen(store: &InMemoryPharmacy) -> Vec<OrderId> {
    let views = now(store.page(&WorkState::ALL, Sequence::NewestFirst, None, 100)).unwrap();
    views.into_iter().map(|view| view.order.id).collect()
}

#[test]
fn a_record_that_the_store_refuses_becomes_a_dead_letter_and_the_others_are_applied() {
    let (store, inbox) = refusing_inbox(&created(2));
    let batch = [
        incoming(0, &created(1)),
        incoming(1, &created(2)),
        unreadable(2),
        incoming(3, &created(3)),
    ];
    let outcome = now(receive(&inbox, &batch.iter().cloned().collect())).unwrap();

    assert_eq!(outcome, BatchOutcome { applied: 2, dead: 2, ..BatchOutcome::default() });
    assert_eq!(seen(&store), [sample::order_id(3), sample::order_id(1)]);
    let dead = store.stored_dead_letters();
    assert_eq!(dead.len(), 2);
    assert_eq!(dead[0].record, batch[2].record);
    assert_eq!(dead[1].record, batch[1].record);
    let reason = "the row does not fit: out of range integral type conversion attempted";
    assert_eq!(dead[1].reason, reason, "with its sources");
}

#[test]
fn a_record_of_an_unknown_type_is_skipped_and_counted() {
    let (store, inbox) = refusing_inbox(&created(9));
    let batch = [of_unknown_type(0), incoming(1, &created(1)), of_unknown_type(2)];
    let outcome = now(receive(&inbox, &batch.into_iter().collect())).unwrap();
    assert_eq!(outcome, BatchOutcome { applied: 1, unknown: 2, ..BatchOutcome::default() });

    let outcome = now(receive(&inbox, &[of_unknown_type(3)].into_iter().collect())).unwrap();
    assert_eq!(outcome, BatchOutcome { unknown: 1, ..BatchOutcome::default() });
    assert_eq!(*inbox.calls.lock().unwrap(), 1, "there was nothing to store");
    assert_eq!(store.stored_dead_letters(), []);
}

#[test]
fn later_events_of_an_order_are_applied_after_a_dead_letter_and_the_gap_is_counted() {
    let (store, inbox) = refusing_inbox(&created(1));
    let batch = [incoming(0, &created(1)), incoming(1, &cancelled(1, 2))];
    let outcome = now(receive(&inbox, &batch.iter().cloned().collect())).unwrap();
    assert_eq!(
        outcome,
        BatchOutcome { applied: 1, missing: 1, dead: 1, ..BatchOutcome::default() }
    );
    assert_eq!(seen(&store), [sample::order_id(1)]);
}

#[test]
fn a_batch_without_refused_records_is_one_call() {
    let (_, inbox) = refusing_inbox(&created(9));
    let batch = [incoming(0, &created(1)), unreadable(1), incoming(2, &created(2))];
    now(receive(&inbox, &batch.iter().cloned().collect())).unwrap();
    assert_eq!(*inbox.calls.lock().unwrap(), 1);
}

#[test]
fn receiving_a_batch_with_a_dead_letter_again_changes_nothing() {
    let (store, inbox) = refusing_inbox(&created(2));
    let batch = [incoming(0, &created(1)), incoming(1, &created(2))];
    now(receive(&inbox, &batch.iter().cloned().collect())).unwrap();
    let outcome = now(receive(&inbox, &batch.iter().cloned().collect())).unwrap();
    assert_eq!(outcome, BatchOutcome { repeated: 1, dead: 1, ..BatchOutcome::default() });
    assert_eq!(store.stored_dead_letters().len(), 1);
}

#[test]
fn an_unavailable_store_causes_no_dead_letters() {
    struct Unreachable;

    impl Inbox for Unreachable {
        async fn apply_batch(
            &self,
            _: &[PublishedEvent],
            _: &[DeadLetter],
        ) -> Result<BatchOutcome, StoreError> {
            Err(StoreError::Unavailable("no connection".into()))
        }
    }

    let answer = now(receive(
        &Unreachable,
        &[incoming(0, &created(1)), unreadable(1)].into_iter().collect(),
    ));
    assert!(answer.is_err_and(|error| error.is_unavailable()));
}

/// A store in which another consumer saves the same orders first, once per event in `rivals`.
pub(crate) struct RivalSavesFirst {
    pub(crate) store: InMemoryPharmacy,
    pub(crate) rivals: Mutex<Vec<PublishedEvent>>,
}

impl PharmacyOrders for RivalSavesFirst {
    async fn find_all(&self, ids: &[OrderId]) -> Result<Vec<OrderRevision>, StoreError> {
        self.store.find_all(ids).await
    }

    async fn save_all(
        &self,
        orders: &[OrderRevision],
        dead: &[DeadLetter],
    ) -> Result<(), SaveAllError> {
        let rival = self.rivals.lock().unwrap().pop();
        if let Some(rival) = rival {
            ReceiveOrders { orders: self.store.clone(), now: sample::now }
                .apply_batch(&[rival], &[])
                .await?;
        }
        self.store.save_all(orders, dead).await
    }
}

#[test]
fn a_batch_is_applied_again_after_a_conflict_with_another_consumer() {
    let store = InMemoryPharmacy::default();
    let rivals = Mutex::new(vec![cancelled(2, 2), created(1)]);
    let inbox = ReceiveOrders {
        orders: RivalSavesFirst { store: store.clone(), rivals },
        now: sample::now,
    };
    let batch = [incoming(0, &created(1)), incoming(1, &created(2))];
    let outcome = now(receive(&inbox, &batch.iter().cloned().collect())).unwrap();

    assert_eq!(outcome, BatchOutcome { applied: 1, repeated: 1, ..BatchOutcome::default() });
    let view = now(store.view(sample::order_id(2))).unwrap().unwrap();
    assert!(view.order.contents.is_some());
    assert_eq!(view.work.status, WorkStatus::Cancelled);
    assert_eq!(view.order.versions.missing(), 0);
}

#[test]
fn a_batch_is_applied_although_its_orders_are_changed_all_the_time() {
    /// A pharmacist is always faster than a batch, but not than a single event.
    struct BusyPharmacist(InMemoryPharmacy);

    impl PharmacyOrders for BusyPharmacist {
        async fn find_all(&self, ids: &[OrderId]) -> Result<Vec<OrderRevision>, StoreError> {
            self.0.find_all(ids).await
        }

        async fn save_all(
            &self,
            orders: &[OrderRevision],
            dead: &[DeadLetter],
        ) -> Result<(), SaveAllError> {
            if orders.len() > 1 {
                return Err(SaveAllError::Conflict);
            }
            self.0.save_all(orders, dead).await
        }
    }

    let store = InMemoryPharmacy::default();
    let inbox = ReceiveOrders { orders: BusyPharmacist(store.clone()), now: sample::now };
    let events: Vec<_> = (1..=50).map(created).chain((1..=50).map(|n| cancelled(n, 2))).collect();
    let dead = [sample::dead_letter(51, 1, "unreadable")];
    let outcome = now(inbox.apply_batch(&events, &dead)).unwrap();

    assert_eq!(outcome, BatchOutcome { applied: 100, dead: 1, ..BatchOutcome::default() });
    for n in 1..=50 {
        let view = now(store.view(sample::order_id(n))).unwrap().unwrap();
        assert_eq!(view.work.status, WorkStatus::Cancelled);
    }
}

#[test]
fn a_batch_fails_as_unavailable_after_too_many_conflicts() {
    struct AlwaysInConflict;

    impl PharmacyOrders for AlwaysInConflict {
        async fn find_all(&self, _: &[OrderId]) -> Result<Vec<OrderRevision>, StoreError> {
            Ok(Vec::new())
        }

        async fn save_all(
            &self,
            _: &[OrderRevision],
            _: &[DeadLetter],
        ) -> Result<(), SaveAllError> {
            Err(SaveAllError::Conflict)
        }
    }

    let answer = now(receive(
        &ReceiveOrders { orders: AlwaysInConflict, now: sample::now },
        &[incoming(0, &created(1))].into_iter().collect(),
    ));
    assert!(answer.is_err_and(|error| error.is_unavailable()));
}
