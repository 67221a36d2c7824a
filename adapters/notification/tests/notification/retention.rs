//! Housekeeping deletes settled rows after their retention, and nothing else.

use std::time::Duration;

use adapter_notification::{Housekeeping, HousekeepingReport, Retention};
use adapter_postgres::Database;
use sqlx::PgPool;

use crate::database;

const MONTH: Duration = Duration::from_hours(30 * 24);

const KEEP: Retention = Retention { dead_letters: MONTH, notifications: MONTH, attempts: MONTH };

/// Inserts notifications, whose destination names the case, and dead letters, whose topic does.
const ROWS: &str = "
    INSERT INTO notifications
        (event_id, channel, order_id, order_version, destination, state, last_error, recorded_at, sent_at)
    SELECT gen_random_uuid(), 'log', gen_random_uuid(), 1, kind.name, state, 'why',
           now() - age, CASE WHEN state = 'sent' THEN now() - age END
    FROM (VALUES (1, 'pending', 'pending', interval '60 days'),
                 (2, 'sent', 'sent', interval '31 days'),
                 (3, 'ahead', 'sent', interval '-10 years'),
                 (4, 'failed', 'failed', interval '31 days'),
                 (5, 'young', 'sent', interval '29 days'),
                 (6, 'young', 'failed', interval '1 day'))
         AS kind (place, name, state, age)
    CROSS JOIN generate_series(1, 6000) AS n
    ORDER BY place;

    INSERT INTO dead_letters (topic, topic_partition, topic_offset, reason, state, settled_at)
    VALUES ('open', 0, 1, 'why', 'open', NULL),
           ('young', 0, 2, 'why', 'retried', now() - interval '29 days'),
           ('old', 0, 3, 'why', 'retried', now() - interval '31 days');

    INSERT INTO customers (customer_id) VALUES ('c-1');
    INSERT INTO orders (order_id, customer_id, customer_name, ended_at)
    VALUES (gen_random_uuid(), 'c-1', 'open', NULL),
           (gen_random_uuid(), 'c-1', 'young', now() - interval '29 days'),
           (gen_random_uuid(), 'c-1', 'old', now() - interval '31 days');

    SELECT create_attempts_day((now() AT TIME ZONE 'UTC')::date - ago) FROM UNNEST('{29, 31, 32}'::int[]) AS ago;
    INSERT INTO attempts (notification_id, began_at, duration_ms, accepted, answer, recorded_at)
    SELECT 1, now(), 1, true, 'an answer', now() - make_interval(days => ago)
    FROM UNNEST('{0, 29, 31, 32, 90}'::int[]) AS ago";

async fn fixture() -> Database {
    let database = database().await;
    execute(&database, ROWS).await;
    database
}

async fn execute(database: &Database, statements: &'static str) {
    sqlx::raw_sql(statements).execute(database.pool()).await.unwrap();
}

async fn texts(pool: &PgPool, query: &'static str) -> Vec<String> {
    sqlx::query_scalar(query).fetch_all(pool).await.unwrap()
}

#[tokio::test]
async fn settled_rows_are_deleted_after_their_retention() {
    let database = fixture().await;
    let pool = database.pool();
    let housekeeping = Housekeeping::new(&database, KEEP);
    let expected = HousekeepingReport {
        dead_letters_deleted: 1,
        notifications_deleted: 12_000,
        orders_deleted: 1,
        attempt_days_dropped: 2,
        ..Default::default()
    };
    assert_eq!(housekeeping.tidy().await, expected);
    let left = "SELECT DISTINCT destination FROM notifications ORDER BY destination";
    assert_eq!(texts(pool, left).await, ["ahead", "pending", "young"]);
    let left = "SELECT topic FROM dead_letters ORDER BY topic";
    assert_eq!(texts(pool, left).await, ["open", "young"]);
    let left = "SELECT customer_name FROM orders ORDER BY customer_name";
    assert_eq!(texts(pool, left).await, ["open", "young"]);
    let left = "SELECT (now()::date - recorded_at::date)::text FROM attempts ORDER BY recorded_at";
    assert_eq!(texts(pool, left).await, ["29", "0"]);
    let ahead = "SELECT destination FROM notifications WHERE recorded_at > now()";
    assert_eq!(texts(pool, ahead).await, [""; 0], "recorded while the clock was ahead");
    assert_eq!(housekeeping.tidy().await, HousekeepingReport::default());
}

#[tokio::test]
async fn a_clock_that_jumps_deletes_nothing() {
    let database = fixture().await;
    let jump = "UPDATE housekeeping_clock SET believed_at = now() - interval '40 days'";
    execute(&database, jump).await;
    let doubted = HousekeepingReport { clock_doubted: true, ..Default::default() };
    assert_eq!(Housekeeping::new(&database, KEEP).tidy().await, doubted);
}

#[tokio::test]
async fn a_step_that_fails_does_not_stop_the_others() {
    let database = fixture().await;
    execute(&database, "ALTER TABLE dead_letters RENAME TO gone").await;
    let done = Housekeeping::new(&database, KEEP).tidy().await;
    assert_eq!((done.failed, done.notifications_deleted), (1, 12_000));
}
