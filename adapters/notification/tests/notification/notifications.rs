//! What only a real Postgres shows: concurrency, foreign values and clocks.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use adapter_notification::PgNotifications;
use adapter_postgres::Database;
use adapter_postgres::dead_letters::PgDeadLetters;
use application::inbox::{Batch, BatchOutcome, Inbox, receive};
use application::notification::{
    ChannelName, ClaimRequest, Claimed, Customers, Lease, Notice, NotificationFilter,
    NotificationState, NotificationViews, Notifications, OrderCustomer, RecordNotices, Replaces,
    SendOutcome, Settled,
};
use application::paging::PageLimit;
use application::published::PublishedEvent;
use domain::{EventId, OrderId};
use runtime::clock;
use sqlx::{AssertSqlSafe, PgPool};
use tokio::sync::Barrier;
use uuid::Uuid;

use test_support::{cancelled, created, open_dead_letters, readable, unreadable};

use crate::database;

fn inbox(notifications: &PgNotifications) -> RecordNotices<PgNotifications> {
    RecordNotices { notifications: notifications.clone(), letters: true }
}

fn request(limit: usize) -> ClaimRequest<'static> {
    ClaimRequest {
        channel: ChannelName::Log,
        lease: Lease::new(Uuid::from_u128(clock::random())),
        hold: Duration::from_mins(1),
        limit,
        per_destination: 2,
        busy: &[],
        failing: 8,
    }
}

async fn claim(notifications: &PgNotifications, limit: usize) -> Vec<Claimed> {
    notifications.claim(request(limit)).await.unwrap()
}

fn settled(claimed: &Claimed, outcome: SendOutcome) -> Settled {
    let (id, lease) = (claimed.notification.id, claimed.lease);
    Settled { id, lease, outcome, attempt: None, endpoint: None }
}

fn later(reason: &str) -> SendOutcome {
    SendOutcome::Later { reason: reason.to_owned(), delay: Duration::from_secs(7) }
}

async fn states(notifications: &PgNotifications, id: OrderId) -> Vec<NotificationState> {
    let filter = NotificationFilter { order_id: Some(id), ..NotificationFilter::default() };
    let page = notifications.list(&filter, None, PageLimit::default()).await.unwrap();
    page.items.into_iter().map(|one| one.state).collect()
}

#[tokio::test]
async fn notifications_that_cannot_be_recorded_become_dead_letters() {
    let database = database().await;
    let records = [
        readable(0, created(clock::new_order_id(), "Ada")),
        readable(1, cancelled(clock::new_order_id(), "no\0")),
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
    assert_eq!(states(&notifications, id).await.len(), 2);
}

#[tokio::test]
async fn concurrent_consumers_record_each_event_once() {
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
    concurrent_workers_never_claim_the_same(ChannelName::Log).await;
}

#[tokio::test]
async fn concurrent_workers_never_claim_the_same_letter() {
    concurrent_workers_never_claim_the_same(ChannelName::Email).await;
}

async fn concurrent_workers_never_claim_the_same(channel: ChannelName) {
    let database = database().await;
    let notifications = PgNotifications::new(&database);
    let placed = |n| {
        let id = format!("c-{n}").parse().unwrap();
        let customer = Some(OrderCustomer { id, name: "Ada".to_owned() });
        Notice { customer, ..Notice::of(&created(clock::new_order_id(), "Ada")) }
    };
    let notices: Vec<Notice> = (0..200).map(placed).collect();
    notifications.record(&notices, true, &[]).await.unwrap();

    let barrier = Arc::new(Barrier::new(5));
    let workers: Vec<_> = (0..5)
        .map(|_| {
            let (notifications, barrier) = (notifications.clone(), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                let mut held: Vec<EventId> = Vec::new();
                while held.len() < 40 {
                    let limit = (40 - held.len()).min(10);
                    let request = ClaimRequest { channel, ..request(limit) };
                    let claimed = notifications.claim(request).await.unwrap();
                    held.extend(claimed.iter().map(|one| one.notification.event_id));
                }
                held
            })
        })
        .collect();
    let mut held = Vec::new();
    for worker in workers {
        held.extend(worker.await.unwrap());
    }
    assert_eq!(held.len(), 200);
    assert_eq!(held.iter().collect::<HashSet<_>>().len(), 200);
}

#[tokio::test]
async fn an_erasure_and_its_customers_orders_at_the_same_moment_leave_no_name() {
    let database = database().await;
    let notifications = PgNotifications::new(&database);
    let customer = OrderCustomer { id: "c-1".parse().unwrap(), name: "Ada".to_owned() };
    let notices: Vec<Notice> = (0..200)
        .map(|_| {
            let placed = Notice::of(&created(clock::new_order_id(), "Ada"));
            Notice { customer: Some(customer.clone()), ..placed }
        })
        .collect();
    let recorders: Vec<_> = notices
        .chunks(20)
        .map(|part| {
            let (notifications, part) = (notifications.clone(), part.to_vec());
            tokio::spawn(async move {
                for notice in part {
                    notifications.record(&[notice], true, &[]).await.unwrap();
                }
            })
        })
        .collect();
    assert!(notifications.erase(&customer.id, &Replaces::Any).await.unwrap());
    for recorder in recorders {
        recorder.await.unwrap();
    }
    let left = "SELECT (SELECT count(*) FROM orders)
                     + (SELECT count(*) FROM notifications WHERE channel = 'email')";
    let left: i64 = sqlx::query_scalar(left).fetch_one(database.pool()).await.unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn an_outcome_is_stored_for_each_notification() {
    let database = database().await;
    let pool = database.pool();
    let notifications = PgNotifications::new(&database);
    let events: Vec<PublishedEvent> =
        (0..4).map(|_| created(clock::new_order_id(), "Ada")).collect();
    inbox(&notifications).apply_batch(&events, &[]).await.unwrap();

    let claimed = claim(&notifications, 10).await;
    let outcomes = [
        SendOutcome::Sent,
        later("busy \0"),
        SendOutcome::Failed("no such number".to_owned()),
        SendOutcome::Suppressed("no contact".to_owned()),
    ];
    let all: Vec<_> =
        claimed.iter().zip(outcomes).map(|(one, outcome)| settled(one, outcome)).collect();
    assert_eq!(notifications.settle(&all).await.unwrap(), 4);

    let mut stored = Vec::new();
    for event in &events {
        stored.extend(states(&notifications, event.order_id).await);
    }
    assert!(matches!(stored[0], NotificationState::Sent { .. }), "{stored:?}");
    let is_busy = matches!(&stored[1], NotificationState::Pending { last_error: Some(why), .. }
                           if why == "busy \u{fffd}");
    assert!(is_busy, "{stored:?}");
    assert_eq!(stored[2], NotificationState::Failed { reason: "no such number".to_owned() });
    assert_eq!(stored[3], NotificationState::Suppressed { reason: "no contact".to_owned() });
    assert!(claim(&notifications, 10).await.is_empty());
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

    let claimed = claim(&notifications, 10).await;
    notifications.settle(&[settled(&claimed[0], later("busy"))]).await.unwrap();
    let together = "SELECT count(*) = 2 AND count(DISTINCT due_at) = 1 AND min(due_at) > now()
                    FROM notifications WHERE state = 'pending'";
    assert!(sqlx::query_scalar::<_, bool>(together).fetch_one(pool).await.unwrap());
}

/// A claim reads the rows that are due, and skips those that have to wait for an earlier one.
#[tokio::test]
async fn later_events_do_not_stand_in_front_while_an_earlier_call_waits_for_its_next_attempt() {
    let database = database().await;
    let notifications = PgNotifications::new(&database);
    let add = "INSERT INTO webhooks (id, url, event_types, secret, created_at)
               VALUES (gen_random_uuid(), 'https://example.org', '{order.created,order.cancelled}', '', now())";
    sqlx::query(add).execute(database.pool()).await.unwrap();
    let orders: Vec<OrderId> = (0..20).map(|_| clock::new_order_id()).collect();
    let placed: Vec<_> = orders.iter().map(|&id| created(id, "Ada")).collect();
    inbox(&notifications).apply_batch(&placed, &[]).await.unwrap();

    let request = ClaimRequest { channel: ChannelName::Webhook, ..request(20) };
    let request = ClaimRequest { per_destination: 20, ..request };
    let claimed = notifications.claim(request).await.unwrap();
    assert_eq!(claimed.len(), 20);
    let results: Vec<_> = claimed.iter().map(|one| settled(one, later("busy"))).collect();
    notifications.settle(&results).await.unwrap();
    let cancellations: Vec<_> = orders.iter().map(|&id| cancelled(id, "no")).collect();
    inbox(&notifications).apply_batch(&cancellations, &[]).await.unwrap();

    let due = "SELECT count(*) FILTER (WHERE due_at <= clock_timestamp()), count(*)
               FROM notifications WHERE channel = 'webhook'";
    let due: (i64, i64) = sqlx::query_as(due).fetch_one(database.pool()).await.unwrap();
    assert_eq!(due, (0, 40));
}

#[tokio::test]
async fn a_notification_for_another_receiver_is_not_waited_for_and_not_delayed() {
    let database = database().await;
    let pool = database.pool();
    let notifications = with_two_notifications(&database).await;
    let other = "UPDATE notifications SET destination = 'other' WHERE order_version = 1";
    sqlx::query(other).execute(pool).await.unwrap();

    let claimed = claim(&notifications, 10).await;
    assert_eq!(claimed.len(), 2);
    let second = claimed.iter().find(|one| one.notification.destination == "log").unwrap();
    notifications.settle(&[settled(second, later("busy"))]).await.unwrap();
    let delayed = "SELECT destination FROM notifications
                   WHERE state = 'pending' AND lease IS NULL AND due_at > now()";
    let delayed: Vec<String> = sqlx::query_scalar(delayed).fetch_all(pool).await.unwrap();
    assert_eq!(delayed, ["log"]);
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
        assert_eq!(!claim(&notifications, 10).await.is_empty(), is_due, "{wait}");
    }
}

#[tokio::test]
async fn the_age_of_the_oldest_due_notification_is_known() {
    let database = database().await;
    let notifications = with_two_notifications(&database).await;
    let age = "UPDATE notifications SET due_at = now() - interval '90 seconds'";
    sqlx::query(age).execute(database.pool()).await.unwrap();
    let oldest = notifications.oldest_due(ChannelName::Log).await.unwrap();
    assert!((90..100).contains(&oldest.as_secs()), "{oldest:?}");
    assert_eq!(notifications.oldest_due(ChannelName::Email).await.unwrap(), Duration::ZERO);
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
