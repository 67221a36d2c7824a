//! Contract of the notification inbox over every store: the customer is notified of each event
//! once, even if the event arrives several times.

#![allow(missing_docs, reason = "each test name is a sentence")]

use futures_util::future::join_all;

use super::NotificationFixture;
use super::notification_steps::of_order;
use super::sample::{cancelled, created, incoming, unreadable};
use crate::inbox::{BatchOutcome, receive};
use crate::notification::{ChannelName, Notification, RecordNotices};
use crate::published::Incoming;

/// Makes one `#[test]` per test function of [`notification_inbox_contract`](self):
/// `(run, fixture)`.
#[macro_export]
macro_rules! notification_inbox_contract {
    ($run:path, $fixture:expr) => {
        $crate::contract_tests! { $run, $fixture, notification_inbox_contract:
            each_event_is_notified_once,
            an_event_twice_in_one_batch_is_notified_once,
            an_event_in_two_batches_is_notified_once,
            a_cancellation_before_the_creation_is_notified_too,
            a_whole_replay_changes_nothing,
            an_unreadable_record_becomes_a_dead_letter_and_blocks_nothing,
            the_same_batch_in_concurrent_calls_takes_effect_once,
        }
    };
}

pub async fn each_event_is_notified_once<F: NotificationFixture>(fixture: &F) {
    let outcome =
        receive_records(fixture, &[incoming(0, &created(1)), incoming(1, &cancelled(1, 2))]).await;
    assert_eq!(outcome, BatchOutcome { applied: 2, ..BatchOutcome::default() });
    let notifications = notifications_of(fixture, 1).await;
    assert_eq!(notifications.len(), 2);
    assert_eq!(notifications[0].event_id, created(1).event_id);
    assert_eq!(notifications[1].event_id, cancelled(1, 2).event_id);
}

pub async fn an_event_twice_in_one_batch_is_notified_once<F: NotificationFixture>(fixture: &F) {
    let outcome =
        receive_records(fixture, &[incoming(0, &created(1)), incoming(1, &created(1))]).await;
    assert_eq!(outcome, BatchOutcome { applied: 1, repeated: 1, ..BatchOutcome::default() });
    assert_eq!(notifications_of(fixture, 1).await.len(), 1);
}

pub async fn an_event_in_two_batches_is_notified_once<F: NotificationFixture>(fixture: &F) {
    receive_records(fixture, &[incoming(0, &created(1))]).await;
    let outcome =
        receive_records(fixture, &[incoming(1, &created(1)), incoming(2, &created(2))]).await;
    assert_eq!(outcome, BatchOutcome { applied: 1, repeated: 1, ..BatchOutcome::default() });
    assert_eq!(notifications_of(fixture, 1).await.len(), 1);
    assert_eq!(notifications_of(fixture, 2).await.len(), 1);
}

pub async fn a_cancellation_before_the_creation_is_notified_too<F: NotificationFixture>(
    fixture: &F,
) {
    receive_records(fixture, &[incoming(0, &cancelled(1, 2))]).await;
    receive_records(fixture, &[incoming(1, &created(1))]).await;
    assert_eq!(notifications_of(fixture, 1).await.len(), 2);
}

pub async fn a_whole_replay_changes_nothing<F: NotificationFixture>(fixture: &F) {
    let topic = [
        incoming(0, &created(1)),
        unreadable(1),
        incoming(2, &created(2)),
        incoming(3, &cancelled(1, 2)),
    ];
    for record in &topic {
        receive_records(fixture, std::slice::from_ref(record)).await;
    }
    let before = (
        notifications_of(fixture, 1).await,
        notifications_of(fixture, 2).await,
        fixture.dead_letters().await,
    );
    let outcome = receive_records(fixture, &topic).await;
    assert_eq!(outcome, BatchOutcome { repeated: 3, dead: 1, ..BatchOutcome::default() });
    let after = (
        notifications_of(fixture, 1).await,
        notifications_of(fixture, 2).await,
        fixture.dead_letters().await,
    );
    assert_eq!(after, before);
    assert_eq!((after.0.len(), after.1.len(), after.2.len()), (2, 1, 1));
}

pub async fn an_unreadable_record_becomes_a_dead_letter_and_blocks_nothing<
    F: NotificationFixture,
>(
    fixture: &F,
) {
    let batch = [unreadable(0), incoming(1, &created(1))];
    let outcome = receive_records(fixture, &batch).await;
    assert_eq!(outcome, BatchOutcome { applied: 1, dead: 1, ..BatchOutcome::default() });
    assert_eq!(notifications_of(fixture, 1).await.len(), 1);
    let dead = fixture.dead_letters().await;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].record, batch[0].record);
}

pub async fn the_same_batch_in_concurrent_calls_takes_effect_once<F: NotificationFixture>(
    fixture: &F,
) {
    let batch: Vec<Incoming> = (1..=10_u32).map(|n| incoming(i64::from(n), &created(n))).collect();
    let outcomes = join_all((0..4).map(|_| receive_records(fixture, &batch))).await;
    assert_eq!(outcomes.iter().map(|outcome| outcome.applied).sum::<u64>(), 10, "{outcomes:?}");
    assert_eq!(outcomes.iter().map(|outcome| outcome.repeated).sum::<u64>(), 30, "{outcomes:?}");
    for n in 1..=10 {
        assert_eq!(notifications_of(fixture, n).await.len(), 1);
    }
}

async fn receive_records<F: NotificationFixture>(fixture: &F, batch: &[Incoming]) -> BatchOutcome {
    let inbox = RecordNotices { notifications: fixture.notifications(), letters: true };
    receive(&inbox, &batch.iter().cloned().collect()).await.expect("an outcome")
}

async fn notifications_of<F: NotificationFixture>(fixture: &F, n: u32) -> Vec<Notification> {
    of_order(fixture, ChannelName::Log, n).await
}
