//! Contract of the pharmacy's inbox over every store: each event takes effect once, in whatever
//! sequence and batches the events arrive.

#![allow(missing_docs, reason = "each test name is a sentence")]

use domain::REDACTED_TEXT;
use domain::ordering::{CodeDisplay, MedicationCoding, OrderNote};
use domain::pharmacy::{Cancellation, WorkStatus};
use futures_util::future::join_all;

use super::sample::{cancelled, created, incoming, of_unknown_type, redacted, unreadable};
use super::{PharmacyFixture, sample};
use crate::inbox::{BatchOutcome, receive};
use crate::pharmacy::{PharmacyOrderView, PharmacyViews, ReceiveOrders, Sequence, WorkState};
use crate::published::Incoming;

/// Makes one `#[test]` per test function of [`pharmacy_inbox_contract`](self): `(run, fixture)`.
#[macro_export]
macro_rules! pharmacy_inbox_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, pharmacy_inbox_contract:
            an_order_that_was_placed_is_a_draft,
            notes_and_medications_are_stored_unchanged,
            an_order_that_was_cancelled_is_cancelled,
            an_event_twice_in_one_batch_takes_effect_once,
            an_event_in_two_batches_takes_effect_once,
            a_cancellation_may_arrive_before_the_creation,
            a_redacted_order_has_no_texts_of_people,
            a_redaction_may_arrive_before_the_creation,
            a_whole_replay_changes_nothing,
            an_unreadable_record_becomes_a_dead_letter_and_blocks_nothing,
            missing_versions_are_counted,
            an_empty_batch_changes_nothing,
            the_same_batch_in_concurrent_calls_takes_effect_once,
        }
    };
}

pub async fn an_order_that_was_placed_is_a_draft<F: PharmacyFixture>(fixture: &F) {
    let outcome = receive_records(fixture, &[incoming(0, &created(1))]).await;
    assert_eq!(outcome, BatchOutcome { applied: 1, ..BatchOutcome::default() });
    let view = order(fixture, 1).await;
    assert_eq!(view.work.status, WorkStatus::Draft);
    let contents = view.order.contents.expect("contents");
    assert_eq!(contents.ordered_at, created(1).occurred_at);
    assert_eq!(contents.items.len(), sample::new_order(1).items.as_slice().len());
    assert_eq!(contents.customer_name, sample::new_order(1).customer_name.as_str());
    assert_eq!(contents.note, None);
}

pub async fn notes_and_medications_are_stored_unchanged<F: PharmacyFixture>(fixture: &F) {
    receive_records(fixture, &[incoming(0, &created(2))]).await;
    let contents = order(fixture, 2).await.order.contents.expect("contents");
    let order = sample::new_order(2);
    assert!(order.note.is_some());
    assert_eq!(contents.note.as_deref(), order.note.as_ref().map(OrderNote::as_str));
    let expected = order.items.as_slice().iter().map(|item| item.medication.as_ref().map(texts));
    let received = contents.items.iter().map(|item| {
        let medication = item.medication.as_ref()?;
        Some([Some(&*medication.system), Some(&*medication.code), medication.display.as_deref()])
    });
    assert_eq!(received.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

fn texts(coding: &MedicationCoding) -> [Option<&str>; 3] {
    let MedicationCoding { system, code, display } = coding;
    [Some(system.as_str()), Some(code.as_str()), display.as_ref().map(CodeDisplay::as_str)]
}

pub async fn an_order_that_was_cancelled_is_cancelled<F: PharmacyFixture>(fixture: &F) {
    let outcome =
        receive_records(fixture, &[incoming(0, &created(1)), incoming(1, &cancelled(1, 2))]).await;
    assert_eq!(outcome, BatchOutcome { applied: 2, ..BatchOutcome::default() });
    let view = order(fixture, 1).await;
    let (reason, at) = (sample::reason().to_string(), cancelled(1, 2).occurred_at);
    assert_eq!(view.work.status, WorkStatus::Cancelled);
    assert_eq!(view.order.cancellation, Some(Cancellation { reason, at }));
    assert!(view.order.contents.is_some());
    assert_eq!(fixture.recorded(sample::order_id(1)).await.len(), 1);
}

pub async fn an_event_twice_in_one_batch_takes_effect_once<F: PharmacyFixture>(fixture: &F) {
    let batch = [incoming(0, &created(1)), incoming(1, &created(2)), incoming(2, &created(1))];
    let outcome = receive_records(fixture, &batch).await;
    assert_eq!(outcome, BatchOutcome { applied: 2, repeated: 1, ..BatchOutcome::default() });
    assert_eq!(all(fixture).await.len(), 2);
}

pub async fn an_event_in_two_batches_takes_effect_once<F: PharmacyFixture>(fixture: &F) {
    receive_records(fixture, &[incoming(0, &created(1))]).await;
    let before = all(fixture).await;
    let outcome =
        receive_records(fixture, &[incoming(1, &created(1)), incoming(2, &created(2))]).await;
    assert_eq!(outcome, BatchOutcome { applied: 1, repeated: 1, ..BatchOutcome::default() });
    assert_eq!(all(fixture).await.last(), before.last());
}

pub async fn a_cancellation_may_arrive_before_the_creation<F: PharmacyFixture>(fixture: &F) {
    let outcome = receive_records(fixture, &[incoming(0, &cancelled(1, 2))]).await;
    assert_eq!(outcome, BatchOutcome { applied: 1, missing: 1, ..BatchOutcome::default() });
    assert_eq!(order(fixture, 1).await.order.contents, None);

    receive_records(fixture, &[incoming(1, &created(1))]).await;
    receive_records(fixture, &[incoming(2, &created(2)), incoming(3, &cancelled(2, 2))]).await;
    let (late, usual) = (order(fixture, 1).await, order(fixture, 2).await);
    assert_eq!(late.work.status, WorkStatus::Cancelled);
    assert!(late.order.contents.is_some());
    assert_eq!(late.order.versions, usual.order.versions);
}

pub async fn a_redacted_order_has_no_texts_of_people<F: PharmacyFixture>(fixture: &F) {
    receive_records(fixture, &[incoming(0, &created(2)), incoming(1, &cancelled(2, 2))]).await;
    let before = order(fixture, 2).await;
    let outcome = receive_records(fixture, &[incoming(2, &redacted(2, 3))]).await;
    assert_eq!(outcome, BatchOutcome { applied: 1, ..BatchOutcome::default() });
    let view = order(fixture, 2).await;
    assert_redacted(&view);
    assert_eq!(view.work, before.work);
    assert_eq!(view.order.versions.latest(), Some(redacted(2, 3).version));

    let repeated = receive_records(fixture, &[incoming(2, &redacted(2, 3))]).await;
    assert_eq!(repeated, BatchOutcome { repeated: 1, ..BatchOutcome::default() });
    assert_eq!(order(fixture, 2).await, view);
}

pub async fn a_redaction_may_arrive_before_the_creation<F: PharmacyFixture>(fixture: &F) {
    let first = receive_records(fixture, &[incoming(0, &redacted(2, 3))]).await;
    assert_eq!(first, BatchOutcome { applied: 1, missing: 2, ..BatchOutcome::default() });
    receive_records(fixture, &[incoming(1, &cancelled(2, 2)), incoming(2, &created(2))]).await;
    let view = order(fixture, 2).await;
    assert_redacted(&view);
    assert_eq!(view.order.versions.missing(), 0);
    assert_eq!(view.work.status, WorkStatus::Cancelled);
}

fn assert_redacted(view: &PharmacyOrderView) {
    let contents = view.order.contents.as_ref().expect("contents");
    assert_eq!(contents.customer_name, REDACTED_TEXT);
    assert_eq!(contents.note, None);
    assert_eq!(contents.items.len(), sample::new_order(2).items.as_slice().len());
    assert_eq!(view.order.cancellation.as_ref().expect("a cancellation").reason, REDACTED_TEXT);
}

pub async fn a_whole_replay_changes_nothing<F: PharmacyFixture>(fixture: &F) {
    let mut topic = Vec::new();
    for n in 1..=10_u32 {
        topic.push(incoming(i64::from(n), &created(n)));
        if n % 3 == 0 {
            topic.push(incoming(100 + i64::from(n), &cancelled(n, 2)));
        }
    }
    topic.push(unreadable(1000));
    for batch in topic.chunks(4) {
        receive_records(fixture, batch).await;
    }
    let (orders, dead) = (all(fixture).await, fixture.dead_letters().await);
    let outcome = receive_records(fixture, &topic).await;
    assert_eq!(outcome, BatchOutcome { repeated: 13, dead: 1, ..BatchOutcome::default() });
    assert_eq!(all(fixture).await, orders);
    assert_eq!(fixture.dead_letters().await, dead);
    assert_eq!((orders.len(), dead.len()), (10, 1));
}

pub async fn an_unreadable_record_becomes_a_dead_letter_and_blocks_nothing<F: PharmacyFixture>(
    fixture: &F,
) {
    let batch = [
        incoming(0, &created(1)),
        unreadable(1),
        of_unknown_type(3),
        incoming(2, &cancelled(1, 2)),
    ];
    let outcome = receive_records(fixture, &batch).await;
    assert_eq!(
        outcome,
        BatchOutcome { applied: 2, dead: 1, unknown: 1, ..BatchOutcome::default() }
    );
    let dead = fixture.dead_letters().await;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].record, batch[1].record);
    assert_eq!(dead[0].reason, "the first byte is not 0");
}

pub async fn missing_versions_are_counted<F: PharmacyFixture>(fixture: &F) {
    let outcome =
        receive_records(fixture, &[incoming(0, &created(1)), incoming(1, &cancelled(1, 5))]).await;
    assert_eq!(outcome, BatchOutcome { applied: 2, missing: 3, ..BatchOutcome::default() });
    assert_eq!(order(fixture, 1).await.order.versions.missing(), 3);
}

pub async fn an_empty_batch_changes_nothing<F: PharmacyFixture>(fixture: &F) {
    assert_eq!(receive_records(fixture, &[]).await, BatchOutcome::default());
    assert_eq!(all(fixture).await, []);
}

pub async fn the_same_batch_in_concurrent_calls_takes_effect_once<F: PharmacyFixture>(fixture: &F) {
    let mut batch: Vec<Incoming> =
        (1..=10_u32).map(|n| incoming(i64::from(n), &created(n))).collect();
    batch.push(unreadable(11));
    let outcomes = join_all((0..4).map(|_| receive_records(fixture, &batch))).await;

    assert_eq!(outcomes.iter().map(|outcome| outcome.applied).sum::<u64>(), 10, "{outcomes:?}");
    assert_eq!(outcomes.iter().map(|outcome| outcome.repeated).sum::<u64>(), 30, "{outcomes:?}");
    assert_eq!(all(fixture).await.len(), 10);
    assert_eq!(fixture.dead_letters().await.len(), 1);
}

async fn receive_records<F: PharmacyFixture>(fixture: &F, batch: &[Incoming]) -> BatchOutcome {
    receive(
        &ReceiveOrders { orders: fixture.orders(), now: sample::now },
        &batch.iter().cloned().collect(),
    )
    .await
    .expect("an outcome")
}

async fn order<F: PharmacyFixture>(fixture: &F, n: u32) -> PharmacyOrderView {
    let view = fixture.views().view(sample::order_id(n)).await.expect("an answer");
    view.expect("the order")
}

/// All orders, newest first.
async fn all<F: PharmacyFixture>(fixture: &F) -> Vec<PharmacyOrderView> {
    let views = fixture.views();
    views.page(&WorkState::ALL, Sequence::NewestFirst, None, 1000).await.expect("a page")
}
