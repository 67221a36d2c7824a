//! Tests of wakeups: when the workers of a relay are woken for new events.

use std::time::Duration;

use adapter_outbox::Wakeups;
use tokio::time::{self, Instant};

use super::Fixture;

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_saved_order_wakes_one_worker_of_every_relay_at_once() {
    let fixture = Fixture::new().await;
    let mut relays = [Wakeups::listen(&fixture.database), Wakeups::listen(&fixture.database)];
    let mut worker = relays[0].clone();
    for relay in &mut relays {
        // It wakes one worker when it begins to listen.
        relay.wait(LONG).await;
        relay.set_next_wait(LONG);
    }
    let start = Instant::now();
    fixture.place_order().await;
    let [first, second] = &mut relays;
    let ((), both_woken) =
        tokio::join!(second.wait(LONG), either(first.wait(LONG), worker.wait(LONG)));
    assert!(start.elapsed() < LONG, "no worker was woken");
    assert!(!both_woken, "both workers of a relay were woken");
}

#[tokio::test]
async fn a_worker_can_wake_another_one() {
    let fixture = Fixture::new().await;
    let mut first = Wakeups::listen(&fixture.database);
    let mut second = first.clone();
    first.wait(LONG).await;
    let start = Instant::now();
    first.wake_another();
    second.wait(LONG).await;
    assert!(start.elapsed() < LONG, "the worker was not woken");
}

/// Waits for one of two futures. Returns whether the other one is ready within 50 ms, too.
async fn either(one: impl Future<Output = ()>, other: impl Future<Output = ()>) -> bool {
    let (mut one, mut other) = (std::pin::pin!(one), std::pin::pin!(other));
    tokio::select! {
        () = &mut one => time::timeout(Duration::from_millis(50), other).await.is_ok(),
        () = &mut other => time::timeout(Duration::from_millis(50), one).await.is_ok(),
    }
}

#[tokio::test]
async fn after_a_wakeup_the_next_waits_are_short_and_grow() {
    let fixture = Fixture::new().await;
    let mut relay = Wakeups::listen(&fixture.database);
    relay.wait(LONG).await;
    let start = Instant::now();
    for wait in [50, 100, 200] {
        let before = Instant::now();
        relay.wait(LONG).await;
        assert!(before.elapsed() >= Duration::from_millis(wait));
    }
    assert!(start.elapsed() < LONG);
    let before = Instant::now();
    relay.wait(Duration::from_millis(30)).await;
    assert!(before.elapsed() < Duration::from_millis(400), "no longer than at_most");
}

#[tokio::test]
async fn a_listener_that_loses_its_connection_connects_again() {
    let fixture = Fixture::new().await;
    let mut relay = Wakeups::listen(&fixture.database);
    relay.wait(LONG).await;
    let listener: i32 = sqlx::query_scalar(
        "SELECT pid FROM pg_stat_activity
         WHERE datname = current_database() AND query LIKE 'LISTEN%'",
    )
    .fetch_one(fixture.database.pool())
    .await
    .unwrap();
    fixture.kill_session(listener).await;
    // New events wake the worker again, long before the next wait would end.
    time::timeout(LONG, async {
        loop {
            relay.set_next_wait(Duration::from_mins(1));
            fixture.place_order().await;
            let woken = time::timeout(Duration::from_secs(2), relay.wait(LONG)).await;
            if woken.is_ok() {
                break;
            }
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn no_notification_is_sent_inside_the_transaction_of_an_order() {
    let fixture = Fixture::new().await;
    let statements = [
        include_str!("../save.rs"),
        include_str!("../orders.rs"),
        include_str!("../../../../migrations/ordering/0001_orders.sql"),
        include_str!("../../../../migrations/ordering/0002_outbox.sql"),
        include_str!("../../../../migrations/ordering/0003_notes_and_medications.sql"),
        include_str!("../../../../migrations/ordering/0004_whole_records_only.sql"),
    ];
    for statement in statements {
        assert!(!statement.to_lowercase().contains("notify"));
    }
    let triggers: Vec<String> = sqlx::query_scalar(
        "SELECT tgname::text FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
         WHERE NOT tgisinternal AND prosrc ILIKE '%notify%'",
    )
    .fetch_all(fixture.database.pool())
    .await
    .unwrap();
    assert_eq!(triggers, [""; 0]);
}
