//! How a relay hears of new events.

use std::time::Duration;

use adapter_outbox::Wakeups;
use tokio::time::{self, Instant};

use super::World;

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_saved_order_wakes_one_worker_of_every_relay_at_once() {
    let world = World::new().await;
    let mut relays = [Wakeups::listen(&world.database), Wakeups::listen(&world.database)];
    let mut worker = relays[0].clone();
    for relay in &mut relays {
        // It wakes one of them when it begins to listen.
        relay.wait(LONG).await;
        relay.rest_at_most(LONG);
    }
    let asked = Instant::now();
    world.place_through_the_port().await;
    let [first, second] = &mut relays;
    let ((), woken_too) =
        tokio::join!(second.wait(LONG), either(first.wait(LONG), worker.wait(LONG)));
    assert!(asked.elapsed() < LONG, "nobody was woken");
    assert!(!woken_too, "both workers of a relay were woken");
}

#[tokio::test]
async fn a_worker_that_leaves_work_behind_wakes_the_next() {
    let world = World::new().await;
    let mut first = Wakeups::listen(&world.database);
    let mut second = first.clone();
    first.wait(LONG).await;
    let asked = Instant::now();
    first.pass_on();
    second.wait(LONG).await;
    assert!(asked.elapsed() < LONG, "it slept on");
}

/// Waits for one of two; whether the other was ready as well.
async fn either(one: impl Future<Output = ()>, other: impl Future<Output = ()>) -> bool {
    let (mut one, mut other) = (std::pin::pin!(one), std::pin::pin!(other));
    tokio::select! {
        () = &mut one => time::timeout(Duration::from_millis(50), other).await.is_ok(),
        () = &mut other => time::timeout(Duration::from_millis(50), one).await.is_ok(),
    }
}

#[tokio::test]
async fn after_news_a_relay_looks_again_soon_and_then_ever_more_rarely() {
    let world = World::new().await;
    let mut relay = Wakeups::listen(&world.database);
    relay.wait(LONG).await;
    let asked = Instant::now();
    for rest in [50, 100, 200] {
        let before = Instant::now();
        relay.wait(LONG).await;
        assert!(before.elapsed() >= Duration::from_millis(rest));
    }
    assert!(asked.elapsed() < LONG);
    let before = Instant::now();
    relay.wait(Duration::from_millis(30)).await;
    assert!(before.elapsed() < Duration::from_millis(400), "no longer than it was told");
}

#[tokio::test]
async fn listening_survives_the_loss_of_its_connection() {
    let world = World::new().await;
    let mut relay = Wakeups::listen(&world.database);
    relay.wait(LONG).await;
    let listener: i32 = sqlx::query_scalar(
        "SELECT pid FROM pg_stat_activity
         WHERE datname = current_database() AND query LIKE 'LISTEN%'",
    )
    .fetch_one(world.database.pool())
    .await
    .unwrap();
    world.kill_session(listener).await;
    // What comes is heard again, at once, although the rests have grown long.
    time::timeout(LONG, async {
        loop {
            relay.rest_at_most(Duration::from_mins(1));
            world.place_through_the_port().await;
            let heard = time::timeout(Duration::from_secs(2), relay.wait(LONG)).await;
            if heard.is_ok() {
                break;
            }
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn no_notification_is_sent_inside_the_transaction_of_an_order() {
    let world = World::new().await;
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
    .fetch_all(world.database.pool())
    .await
    .unwrap();
    assert_eq!(triggers, [""; 0]);
}
