//! What claims cost while many notifications wait.

use std::time::Duration;

use adapter_notification::{PgNotifications, TABLES};
use adapter_postgres::Database;
use application::notification::{
    ChannelName, ClaimRequest, Lease, Notifications, SendOutcome, Settled,
};
use embedded_postgres::testing::fresh_database;
use runtime::clock;
use sqlx::PgPool;
use test_support::eventually;
use uuid::Uuid;

/// One customer and two webhooks, each with many notifications that are due. There are no statistics about
/// them yet, as always when they arrive in a short time.
const BACKLOG: &str = "
    INSERT INTO webhooks (id, url, event_types, secret, created_at)
    SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, 'https://example.org', '{order.created}', '', now()
    FROM generate_series(1, 2) AS n;
    INSERT INTO notifications (event_id, channel, destination, order_id, order_version, event_type, occurred_at)
    SELECT gen_random_uuid(), receiver.*, gen_random_uuid(), 1, 'order.created', now()
    FROM (SELECT 'webhook', id::text FROM webhooks UNION ALL VALUES ('email', 'customer-1')) AS receiver,
         generate_series(1, 2000)";

const LIMIT: usize = 16;

#[tokio::test]
async fn a_claim_and_its_settlement_do_not_read_the_notifications_that_have_to_wait() {
    let fresh = fresh_database().await.unwrap();
    let database = Database::new(&TABLES, &fresh.args(), "test").unwrap();
    database.migrate().await.unwrap();
    sqlx::raw_sql(BACKLOG).execute(database.pool()).await.unwrap();
    let before = rows_read(database.pool()).await;

    let worker = Database::new(&TABLES, &fresh.args(), "worker").unwrap();
    let notifications = PgNotifications::new(&worker);
    for (channel, count) in [(ChannelName::Email, LIMIT / 2), (ChannelName::Webhook, LIMIT)] {
        let request = ClaimRequest {
            channel,
            lease: Lease::new(Uuid::from_u128(clock::random())),
            hold: Duration::from_mins(1),
            limit: LIMIT,
            per_destination: LIMIT / 2,
            busy: &[],
            failing: 8,
        };
        let claimed = notifications.claim(request).await.unwrap();
        assert_eq!(claimed.len(), count, "{channel:?}");
        let later = |claimed: &application::notification::Claimed| {
            let outcome =
                SendOutcome::Later { reason: "busy".to_owned(), delay: Duration::from_secs(7) };
            let (id, lease) = (claimed.notification.id, claimed.lease);
            Settled { id, lease, outcome, attempt: None, endpoint: None }
        };
        let results: Vec<Settled> = claimed.iter().map(later).collect();
        assert_eq!(notifications.settle(&results).await.unwrap(), count as u64);
    }
    // Postgres counts what a session has read when it ends, at the latest.
    worker.close().await;
    eventually("the rows are counted", || async { rows_read(database.pool()).await > before })
        .await;
    let read = rows_read(database.pool()).await - before;
    assert!(read < 1000, "{read} rows were read");
}

/// How many entries of indexes were read.
async fn rows_read(pool: &PgPool) -> i64 {
    let query = "SELECT coalesce(sum(idx_tup_read), 0)::bigint FROM pg_stat_user_indexes
                 WHERE relname = 'notifications'";
    sqlx::query_scalar(query).fetch_one(pool).await.unwrap()
}
