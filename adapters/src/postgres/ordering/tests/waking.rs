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
