//! How a relay hears of new events.

use std::time::Duration;

use tokio::time::{self, Instant};

use super::World;
use crate::postgres::ordering::Wakeups;

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_saved_order_wakes_every_relay_at_once() {
    let world = World::new().await;
    let mut relay = Wakeups::listen(&world.database);
    let mut other = relay.clone();
    // It wakes them once when it begins to listen.
    relay.wait(LONG).await;
    other.wait(LONG).await;
    let asked = Instant::now();
    world.place_through_the_port().await;
    tokio::join!(relay.wait(LONG), other.wait(LONG));
    assert!(asked.elapsed() < LONG, "nobody was woken");
}

#[tokio::test]
async fn without_news_a_relay_is_woken_when_its_time_is_up() {
    let world = World::new().await;
    let mut relay = Wakeups::listen(&world.database);
    relay.wait(LONG).await;
    let asked = Instant::now();
    relay.wait(Duration::from_millis(30)).await;
    assert!(asked.elapsed() >= Duration::from_millis(30));
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
    let asked = Instant::now();
    relay.wait(LONG).await;
    // It listens again; what it missed is looked for, and what comes is heard.
    time::timeout(LONG, async {
        loop {
            world.place_through_the_port().await;
            let before = Instant::now();
            relay.wait(Duration::from_secs(2)).await;
            if before.elapsed() < Duration::from_secs(1) {
                break;
            }
        }
    })
    .await
    .unwrap();
    assert!(asked.elapsed() < LONG);
}

#[tokio::test]
async fn no_notification_is_sent_inside_the_transaction_of_an_order() {
    let world = World::new().await;
    let statements = [
        include_str!("../save.rs"),
        include_str!("../orders.rs"),
        include_str!("../../../../../migrations/ordering/0001_orders.sql"),
        include_str!("../../../../../migrations/ordering/0002_outbox.sql"),
    ];
    for statement in statements {
        assert!(!statement.to_lowercase().contains("notify"));
    }
    let triggers: i64 =
        sqlx::query_scalar("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal")
            .fetch_one(world.database.pool())
            .await
            .unwrap();
    assert_eq!(triggers, 0);
}
