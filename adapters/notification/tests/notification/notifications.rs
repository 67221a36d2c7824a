use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use adapter_notification::PgNotifications;
use adapter_postgres::Database;
use adapter_postgres::dead_letters::PgDeadLetters;
use application::StoreError;
use application::inbox::{Batch, BatchOutcome, Inbox, receive};
use application::notification::{
    ChannelName, ClaimLimit, NotificationClaim, NotificationState, NotificationViews,
    Notifications, NotifyCustomer, SendOutcome,
};
use application::published::PublishedEvent;
use domain::EventId;
use runtime::clock;
use sqlx::{AssertSqlSafe, PgPool};
use tokio::sync::Barrier;

use test_support::{cancelled, created, open_dead_letters, readable, unreadable};

use crate::database;

fn inbox(notifications: &PgNotifications) -> NotifyCustomer<PgNotifications> {
    NotifyCustomer { notifications: notifications.clone(), channels: vec![ChannelName::Log] }
}

fn up_to(notifications: usize) -> ClaimLimit {
    ClaimLimit { notifications, bytes: usize::MAX }
}

fn later(reason: &str) -> SendOutcome {
    SendOutcome::Later { reason: reason.to_owned(), delay: Duration::from_secs(7) }
}

#[tokio::test]
async fn notifications_that_cannot_be_recorded_become_dead_letters() {
    let database = database().await;
    let records = [
        readable(0, created(clock::new_order_id(), "Ada")),
        readable(1, created(clock::new_order_id(), "Eve\0")),
        unreadable(2, Some(b"\x01nonsense")),
    ];
    let inbox = inbox(&PgNotifications::new(&database));
    let outcome = receive(&inbox, &records.into_iter().collect::<Batch>()).await.unwrap();
    assert_eq!(outcome, BatchOutcome { applied: 1, dead: 2, ..BatchOutcome::default() });
    assert_eq!(open_dead_letters(&PgDeadLetters::new(&database)).await.len(), 2);
}

#[tokio::test]
async fn repeats_are_counted_within_a_batch_and_across_batches() {
    let notifications = PgNotifications::new(&database().await);
    let inbox = inbox(&notifications);
    let id = clock::new_order_id();
    let (placed, cancellation) = (created(id, "Ada"), cancelled(id, "no"));

    let batch = [placed.clone(), placed.clone(), cancellation.clone(), placed.clone()];
    let outcome = inbox.apply_batch(&batch, &[]).await.unwrap();
    assert_eq!(outcome, BatchOutcome { applied: 2, repeated: 2, ..BatchOutcome::default() });
    let outcome = inbox.apply_batch(&batch, &[]).await.unwrap();
    assert_eq!(outcome, BatchOutcome { repeated: 4, ..BatchOutcome::default() });

    let kept = notifications.of_order(id).await.unwrap();
    let events: Vec<EventId> = kept.iter().map(|one| one.content.event_id).collect();
    assert_eq!(events, [placed.event_id, cancellation.event_id]);
    assert!(kept.iter().all(|one| one.state == NotificationState::Pending { attempts: 0 }));
}

#[tokio::test]
async fn notifications_are_listed_in_the_order_they_were_received_in() {
    let notifications = PgNotifications::new(&database().await);
    let id = clock::new_order_id();
    // The event with the higher id is received first.
    let received_last = created(id, "Ada");
    let received_first = cancelled(id, "no");
    let batch = [received_first.clone(), received_last.clone()];
    inbox(&notifications).apply_batch(&batch, &[]).await.unwrap();

    let kept = notifications.of_order(id).await.unwrap();
    let events: Vec<EventId> = kept.iter().map(|one| one.content.event_id).collect();
    assert_eq!(events, [received_first.event_id, received_last.event_id]);
}

#[tokio::test]
async fn consumers_of_the_same_events_record_each_notification_once() {
    let database = database().await;
    let events: Vec<PublishedEvent> =
        (0..100).map(|_| created(clock::new_order_id(), "Ada")).collect();
    let barrier = Arc::new(Barrier::new(4));
    let consumers: Vec<_> = (0..4)
        .map(|consumer| {
            let inbox = inbox(&PgNotifications::new(&database));
            let mut events = events.clone();
            if consumer % 2 == 1 {
                events.reverse();
            }
            let barrier = Arc::clone(&barrier);
            tokio::spawn(async move {
                barrier.wait().await;
                inbox.apply_batch(&events, &[]).await.unwrap()
            })
        })
        .collect();
    let (mut applied, mut repeated) = (0, 0);
    for consumer in consumers {
        let outcome = consumer.await.unwrap();
        applied += outcome.applied;
        repeated += outcome.repeated;
    }
    assert_eq!((applied, repeated), (100, 300));
}

#[tokio::test]
async fn concurrent_workers_never_claim_the_same_notification() {
    let database = database().await;
    let notifications = PgNotifications::new(&database);
    let events: Vec<PublishedEvent> =
        (0..200).map(|_| created(clock::new_order_id(), "Ada")).collect();
    inbox(&notifications).apply_batch(&events, &[]).await.unwrap();

    let barrier = Arc::new(Barrier::new(5));
    let workers: Vec<_> = (0..5)
        .map(|_| {
            let (notifications, barrier) = (notifications.clone(), Arc::clone(&barrier));
            tokio::spawn(async move {
                let claim =
                    notifications.claim(ChannelName::Log, up_to(30)).await.unwrap().unwrap();
                let held: Vec<EventId> =
                    claim.notifications().iter().map(|one| one.content.event_id).collect();
                // All five hold their claims here.
                barrier.wait().await;
                claim.settle(&vec![SendOutcome::Sent; held.len()]).await.unwrap();
                held
            })
        })
        .collect();
    let mut held = Vec::new();
    for worker in workers {
        held.extend(worker.await.unwrap());
    }
    assert_eq!(held.len(), 150);
    assert_eq!(held.iter().collect::<HashSet<_>>().len(), 150);

    let rest = notifications.claim(ChannelName::Log, up_to(1000)).await.unwrap().unwrap();
    assert_eq!(rest.notifications().len(), 50);
}

#[tokio::test]
async fn a_dropped_claim_releases_its_notifications_unchanged() {
    let notifications = PgNotifications::new(&database().await);
    let event = created(clock::new_order_id(), "Ada");
    inbox(&notifications).apply_batch(std::slice::from_ref(&event), &[]).await.unwrap();

    let claim = notifications.claim(ChannelName::Log, up_to(10)).await.unwrap().unwrap();
    assert!(notifications.claim(ChannelName::Log, up_to(10)).await.unwrap().is_none());
    drop(claim);

    let again = claimed_within(&notifications, Duration::from_secs(10)).await;
    assert_eq!(again.notifications()[0].content.event_id, event.event_id);
}

/// Retries the claim until `wait` has passed, because a dropped claim is rolled back in the background.
async fn claimed_within(notifications: &PgNotifications, wait: Duration) -> impl NotificationClaim {
    tokio::time::timeout(wait, async {
        loop {
            if let Some(claim) = notifications.claim(ChannelName::Log, up_to(10)).await.unwrap() {
                return claim;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("nothing to claim")
}

#[tokio::test]
async fn a_worker_that_hangs_loses_its_claim_and_cannot_settle_it_later() {
    let database = database().await;
    let notifications = PgNotifications::new(&database);
    inbox(&notifications).apply_batch(&[created(clock::new_order_id(), "Ada")], &[]).await.unwrap();

    let hanging = notifications.clone().holding_at_most(Duration::from_millis(100));
    let lost = hanging.claim(ChannelName::Log, up_to(10)).await.unwrap().unwrap();
    let again = claimed_within(&notifications, Duration::from_secs(10)).await;
    assert_eq!(again.notifications(), lost.notifications());

    let late = lost.settle(&[SendOutcome::Failed("late".to_owned())]).await;
    assert!(late.as_ref().is_err_and(StoreError::is_unavailable), "{late:?}");
    again.settle(&[SendOutcome::Sent]).await.unwrap();
}

#[tokio::test]
async fn an_outcome_is_stored_for_each_notification() {
    let database = database().await;
    let pool = database.pool();
    let notifications = PgNotifications::new(&database);
    let events: Vec<PublishedEvent> =
        (0..3).map(|_| created(clock::new_order_id(), "Ada")).collect();
    inbox(&notifications).apply_batch(&events, &[]).await.unwrap();

    let claim = notifications.claim(ChannelName::Log, up_to(10)).await.unwrap().unwrap();
    let outcomes =
        [SendOutcome::Sent, later("busy \0"), SendOutcome::Failed("no such number".to_owned())];
    claim.settle(&outcomes).await.unwrap();

    let mut states = Vec::new();
    for event in &events {
        states.push(notifications.of_order(event.order_id).await.unwrap().remove(0).state);
    }
    assert!(matches!(states[0], NotificationState::Sent { .. }), "{states:?}");
    assert_eq!(states[1], NotificationState::Pending { attempts: 1 });
    assert_eq!(states[2], NotificationState::Failed { reason: "no such number".to_owned() });
    assert!(notifications.claim(ChannelName::Log, up_to(10)).await.unwrap().is_none());
    assert_eq!(wait_of_pending(pool).await, 7);
}

/// The notifications of an order that was placed and cancelled.
async fn with_two_notifications(database: &Database) -> PgNotifications {
    let notifications = PgNotifications::new(database);
    let id = clock::new_order_id();
    let inbox = inbox(&notifications);
    inbox.apply_batch(&[created(id, "Ada"), cancelled(id, "no")], &[]).await.unwrap();
    notifications
}

#[tokio::test]
async fn later_notifications_of_an_order_are_due_at_the_same_time_as_the_first() {
    let database = database().await;
    let pool = database.pool();
    let notifications = with_two_notifications(&database).await;

    let claim = notifications.claim(ChannelName::Log, up_to(10)).await.unwrap().unwrap();
    claim.settle(&[later("busy")]).await.unwrap();
    let together = "SELECT count(*) = 2 AND count(DISTINCT due_at) = 1 AND min(due_at) > now()
                    FROM notifications WHERE state = 'pending'";
    assert!(sqlx::query_scalar::<_, bool>(together).fetch_one(pool).await.unwrap());
}

#[tokio::test]
async fn a_notification_on_another_channel_is_not_waited_for_and_not_delayed() {
    let database = database().await;
    let pool = database.pool();
    let notifications = with_two_notifications(&database).await;
    // The program has one channel, but the table can have rows of others.
    let other = "UPDATE notifications SET channel = 'other' WHERE order_version = 1";
    sqlx::query(other).execute(pool).await.unwrap();

    let claim = notifications.claim(ChannelName::Log, up_to(10)).await.unwrap();
    let claim = claim.expect("the second notification is the first on its channel");
    claim.settle(&[later("busy")]).await.unwrap();
    let due = "SELECT channel FROM notifications WHERE due_at <= now()";
    let due: Vec<String> = sqlx::query_scalar(due).fetch_all(pool).await.unwrap();
    assert_eq!(due, ["other"]);
}

#[tokio::test]
async fn a_clock_that_was_ahead_does_not_delay_notifications_beyond_the_longest_wait() {
    let database = database().await;
    let pool = database.pool();
    let notifications = PgNotifications::new(&database);
    let event = created(clock::new_order_id(), "Ada");
    inbox(&notifications).apply_batch(std::slice::from_ref(&event), &[]).await.unwrap();
    for (wait, is_due) in [("59 minutes", false), ("62 minutes", true), ("10 years", true)] {
        let postpone = format!("UPDATE notifications SET due_at = now() + interval '{wait}'");
        sqlx::query(AssertSqlSafe(postpone)).execute(pool).await.unwrap();
        let claim = notifications.claim(ChannelName::Log, up_to(10)).await.unwrap();
        assert_eq!(claim.is_some(), is_due, "{wait}");
        if let Some(claim) = claim {
            claim.settle(&[]).await.unwrap();
        }
    }
}

/// Whole seconds from now until the one pending notification is due, rounded up.
async fn wait_of_pending(pool: &PgPool) -> i64 {
    sqlx::query_scalar(
        "SELECT ceil(extract(epoch FROM due_at - clock_timestamp()))::bigint
         FROM notifications WHERE state = 'pending'",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}
