use std::sync::Arc;

use adapter_avro::encode_pharmacy_event;
use adapter_pharmacy::PgPharmacyOrders;
use adapter_postgres::Database;
use application::inbox::{BatchOutcome, Inbox};
use application::pharmacy::{
    OrderRevision, PharmacyOrderView, PharmacyOrders, PharmacyViews, ReceiveOrders, SaveAllError,
    Sequence, WorkState,
};
use application::published::PublishedEvent;
use domain::OrderId;
use domain::pharmacy::{Cancellation, PharmacyOrder, WorkStatus};
use runtime::clock;
use tokio::sync::Barrier;

use test_support::{cancelled, created};

use crate::database;

#[tokio::test]
async fn an_order_is_shown_as_in_its_events() {
    let orders = PgPharmacyOrders::new(&database().await, encode_pharmacy_event);
    let inbox = ReceiveOrders { orders: orders.clone(), now: clock::now };
    let id = clock::new_order_id();
    let before = clock::now();
    let (placed, cancellation) = (created(id, "Zoë 🙂"), cancelled(id, "changed my mind"));

    inbox.apply_batch(std::slice::from_ref(&placed), &[]).await.unwrap();
    let view = orders.view(id).await.unwrap().unwrap();
    let contents = view.order.contents.as_ref().unwrap();
    assert_eq!(contents.customer_name, "Zoë 🙂");
    assert_eq!(contents.ordered_at, placed.occurred_at);
    let items: Vec<_> = contents.items.iter().map(|it| (it.product_id, it.quantity)).collect();
    assert_eq!(items, [(7, 2), (9, 1)]);
    assert_eq!(view.work.status, WorkStatus::Draft);
    assert!(view.received_at >= before && view.received_at <= clock::now());

    inbox.apply_batch(std::slice::from_ref(&cancellation), &[]).await.unwrap();
    let later = orders.view(id).await.unwrap().unwrap();
    let expected =
        Cancellation { reason: "changed my mind".to_owned(), at: cancellation.occurred_at };
    assert_eq!(later.order.cancellation, Some(expected));
    assert_eq!(later.work.status, WorkStatus::Cancelled);
    assert_eq!(later.order.contents, view.order.contents);
    assert_eq!(later.order.versions.latest(), Some(cancellation.version));
    assert_eq!(later.received_at, view.received_at, "the time of the first event stays");
}

#[tokio::test]
async fn a_cancellation_before_the_creation_shows_what_is_missing() {
    let orders = PgPharmacyOrders::new(&database().await, encode_pharmacy_event);
    let inbox = ReceiveOrders { orders: orders.clone(), now: clock::now };
    let id = clock::new_order_id();

    let outcome = inbox.apply_batch(&[cancelled(id, "too late")], &[]).await.unwrap();
    assert_eq!(outcome, BatchOutcome { applied: 1, missing: 1, ..BatchOutcome::default() });
    let view = orders.view(id).await.unwrap().unwrap();
    assert_eq!((view.order.contents, view.order.versions.missing()), (None, 1));

    inbox.apply_batch(&[created(id, "Ada")], &[]).await.unwrap();
    let view = orders.view(id).await.unwrap().unwrap();
    assert_eq!(view.order.versions.missing(), 0);
    assert_eq!(view.order.contents.unwrap().items.len(), 2);
    assert_eq!(view.work.status, WorkStatus::Cancelled);
}

#[tokio::test]
async fn consumers_of_the_same_events_apply_each_once() {
    let database = database().await;
    let ids: Vec<OrderId> = (0..40).map(|_| clock::new_order_id()).collect();
    let mut events: Vec<PublishedEvent> = ids.iter().map(|id| created(*id, "Ada")).collect();
    events.extend(ids.iter().map(|id| cancelled(*id, "no")));
    let backwards: Vec<PublishedEvent> = events.iter().rev().cloned().collect();

    let slices = [events.clone(), backwards, events.clone(), events.clone()];
    let total = at_once(&database, slices.to_vec()).await;

    assert_eq!(total.applied, 80);
    assert_eq!(total.repeated, 240);
    all_cancelled_with_contents(&database, &ids).await;
}

#[tokio::test]
async fn consumers_of_different_events_of_an_order_update_the_same_row() {
    let database = database().await;
    let ids: Vec<OrderId> = (0..40).map(|_| clock::new_order_id()).collect();
    let placed: Vec<PublishedEvent> = ids.iter().map(|id| created(*id, "Ada")).collect();
    let cancellations: Vec<PublishedEvent> =
        ids.iter().rev().map(|id| cancelled(*id, "no")).collect();

    let total = at_once(&database, vec![placed, cancellations]).await;

    assert_eq!((total.applied, total.repeated), (80, 0));
    all_cancelled_with_contents(&database, &ids).await;
}

/// Runs one consumer for each slice of events, all at the same time. Each one applies its events in
/// batches.
async fn at_once(database: &Database, slices: Vec<Vec<PublishedEvent>>) -> BatchOutcome {
    let barrier = Arc::new(Barrier::new(slices.len()));
    let consumers: Vec<_> = slices
        .into_iter()
        .map(|events| {
            let inbox = ReceiveOrders {
                orders: PgPharmacyOrders::new(database, encode_pharmacy_event),
                now: clock::now,
            };
            let barrier = Arc::clone(&barrier);
            tokio::spawn(async move {
                let mut total = BatchOutcome::default();
                for batch in events.chunks(10) {
                    barrier.wait().await;
                    let outcome = inbox.apply_batch(batch, &[]).await.unwrap();
                    total.applied += outcome.applied;
                    total.repeated += outcome.repeated;
                }
                total
            })
        })
        .collect();
    let mut total = BatchOutcome::default();
    for consumer in consumers {
        let outcome = consumer.await.unwrap();
        total.applied += outcome.applied;
        total.repeated += outcome.repeated;
    }
    total
}

async fn all_cancelled_with_contents(database: &Database, ids: &[OrderId]) {
    let orders = PgPharmacyOrders::new(database, encode_pharmacy_event);
    let revised = orders.find_all(ids).await.unwrap();
    assert_eq!(revised.len(), ids.len());
    for OrderRevision { order, .. } in revised {
        let state = order.snapshot();
        assert_eq!(order.status(), &WorkStatus::Cancelled);
        assert_eq!(state.contents.as_ref().unwrap().items.len(), 2);
        assert_eq!((state.versions.latest().unwrap().get(), state.versions.missing()), (2, 0));
    }
}

#[tokio::test]
async fn a_batch_with_a_stale_revision_is_not_saved() {
    let orders = PgPharmacyOrders::new(&database().await, encode_pharmacy_event);
    let inbox = ReceiveOrders { orders: orders.clone(), now: clock::now };
    let (known, fresh) = (clock::new_order_id(), clock::new_order_id());
    inbox.apply_batch(&[created(known, "Ada")], &[]).await.unwrap();
    let stale = orders.find_all(&[known]).await.unwrap();
    inbox.apply_batch(&[cancelled(known, "no")], &[]).await.unwrap();

    let new = OrderRevision { order: new_order(&created(fresh, "Ben")), revision: 0 };
    let batch = [stale[0].clone(), new.clone()];
    let answer = orders.save_all(&batch, &[]).await;
    assert!(matches!(answer, Err(SaveAllError::Conflict)), "{answer:?}");
    assert_eq!(orders.view(fresh).await.unwrap(), None);

    orders.save_all(std::slice::from_ref(&new), &[]).await.unwrap();
    let again = orders.save_all(&[new], &[]).await;
    assert!(matches!(again, Err(SaveAllError::Conflict)), "{again:?}");
}

fn new_order(event: &PublishedEvent) -> PharmacyOrder {
    let mut order = PharmacyOrder::new(event.order_id);
    let contents = domain::pharmacy::Contents {
        customer_name: "Ben".to_owned(),
        items: Vec::new(),
        note: None,
        ordered_at: event.occurred_at,
    };
    let _ = order.order_created(event.version, contents);
    order
}

#[tokio::test]
async fn orders_are_listed_newest_first_and_by_status() {
    let orders = PgPharmacyOrders::new(&database().await, encode_pharmacy_event);
    let inbox = ReceiveOrders { orders: orders.clone(), now: clock::now };
    let mut ids: Vec<OrderId> = (0..5).map(|_| clock::new_order_id()).collect();
    let mut events: Vec<PublishedEvent> = ids.iter().map(|id| created(*id, "Ada")).collect();
    events.push(cancelled(ids[1], "no"));
    events.push(cancelled(ids[3], "no"));
    inbox.apply_batch(&events, &[]).await.unwrap();
    ids.reverse();

    let page = async |states: &[WorkState], after: Option<OrderId>, limit| {
        shown(orders.page(states, Sequence::NewestFirst, after, limit).await.unwrap())
    };
    let (draft, cancelled) = (&[WorkState::Draft], &[WorkState::Cancelled]);
    assert_eq!(page(&WorkState::ALL, None, 10).await, ids);
    assert_eq!(page(&WorkState::ALL, None, 2).await, ids[..2]);
    assert_eq!(page(&WorkState::ALL, Some(ids[1]), 10).await, ids[2..]);
    assert_eq!(page(cancelled, None, 10).await, [ids[1], ids[3]]);
    assert_eq!(page(cancelled, Some(ids[1]), 10).await, [ids[3]]);
    assert_eq!(page(draft, Some(ids[0]), 1).await, [ids[2]]);
    let oldest = orders.page(draft, Sequence::OldestFirst, None, 2).await.unwrap();
    assert_eq!(shown(oldest), [ids[4], ids[2]]);
}

fn shown(views: Vec<PharmacyOrderView>) -> Vec<OrderId> {
    views.into_iter().map(|view| view.order.id).collect()
}
