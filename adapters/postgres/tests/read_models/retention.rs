//! What is settled is deleted after its retention, and nothing else.

use std::time::Duration;

use adapter_notification as notification;
use adapter_pharmacy as pharmacy;
use adapter_postgres::Database;
use sqlx::{AssertSqlSafe, PgPool};

use crate::told::database_and_pool;

const MONTH: Duration = Duration::from_hours(30 * 24);

const KEEP: notification::Keep = notification::Keep { dead_letters: MONTH, notifications: MONTH };

async fn run(pool: &PgPool, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(pool).await.unwrap();
}

async fn keys(pool: &PgPool, query: &'static str) -> Vec<String> {
    sqlx::query_scalar(query).fetch_all(pool).await.unwrap()
}

/// Dead letters named after what should become of them.
async fn keep_letters(pool: &PgPool, schema: &str) {
    let letters = format!(
        "INSERT INTO {schema}.dead_letters
             (topic, topic_partition, topic_offset, reason, state, kept_at, settled_at)
         SELECT name, 0, n, 'why', state, now() - interval '1 year', now() - age
         FROM generate_series(1, 3000) AS n CROSS JOIN (VALUES
             ('open', 'open', NULL),
             ('young', 'retried', interval '29 days'),
             ('retried', 'retried', interval '31 days'),
             ('discarded', 'discarded', interval '31 days')) AS letter (name, state, age)"
    );
    run(pool, &letters).await;
}

/// Notifications whose messages are named after what should become of them.
async fn record(pool: &PgPool) {
    let notifications = "
        INSERT INTO notification.notifications
            (event_id, channel, order_id, order_version, message, state, last_error,
             recorded_at, sent_at)
        SELECT gen_random_uuid(), 'log', gen_random_uuid(), 1, message, state, 'why',
               now() - age, CASE WHEN state = 'sent' THEN now() - age END
        FROM (VALUES (1, 'pending', 'pending', interval '60 days'),
                     (2, 'sent', 'sent', interval '31 days'),
                     (3, 'ahead', 'sent', interval '-10 years'),
                     (4, 'failed', 'failed', interval '31 days'),
                     (5, 'young', 'sent', interval '29 days'),
                     (6, 'young', 'failed', interval '1 day'))
             AS kind (place, message, state, age)
        CROSS JOIN generate_series(1, 6000) AS n
        ORDER BY place";
    run(pool, notifications).await;
}

async fn world() -> (Database, PgPool) {
    let (database, pool) = database_and_pool().await;
    for schema in ["pharmacy", "notification"] {
        keep_letters(&pool, schema).await;
    }
    record(&pool).await;
    (database, pool)
}

#[tokio::test]
async fn settled_dead_letters_are_deleted_after_their_retention() {
    let (database, pool) = world().await;
    let done = pharmacy::Housekeeping::new(&database, KEEP.dead_letters).tidy().await;
    let expected = pharmacy::Tidied { dead_letters_deleted: 6000, ..Default::default() };
    assert_eq!(done, expected);
    let left = "SELECT DISTINCT topic FROM pharmacy.dead_letters ORDER BY topic";
    assert_eq!(keys(&pool, left).await, ["open", "young"]);
}

#[tokio::test]
async fn settled_notifications_are_deleted_after_their_retention() {
    let (database, pool) = world().await;
    let house = notification::Housekeeping::new(&database, KEEP);
    let expected = notification::Tidied {
        dead_letters_deleted: 6000,
        notifications_deleted: 12_000,
        ..Default::default()
    };
    assert_eq!(house.tidy().await, expected);
    let left = "SELECT DISTINCT message FROM notification.notifications ORDER BY message";
    assert_eq!(keys(&pool, left).await, ["ahead", "pending", "young"]);
    let left = "SELECT DISTINCT topic FROM notification.dead_letters ORDER BY topic";
    assert_eq!(keys(&pool, left).await, ["open", "young"]);
    let ahead = "SELECT message FROM notification.notifications WHERE recorded_at > now()";
    assert_eq!(keys(&pool, ahead).await, [""; 0], "dated by a clock that was ahead");
    assert_eq!(house.tidy().await, notification::Tidied::default());
}

#[tokio::test]
async fn a_clock_that_jumps_deletes_nothing() {
    let (database, pool) = world().await;
    for schema in ["pharmacy", "notification"] {
        let jump = format!(
            "UPDATE {schema}.housekeeping_clock SET believed_at = now() - interval '40 days'"
        );
        run(&pool, &jump).await;
    }
    let house = pharmacy::Housekeeping::new(&database, KEEP.dead_letters);
    let doubted = pharmacy::Tidied { clock_doubted: true, ..Default::default() };
    assert_eq!(house.tidy().await, doubted);
    let house = notification::Housekeeping::new(&database, KEEP);
    let doubted = notification::Tidied { clock_doubted: true, ..Default::default() };
    assert_eq!(house.tidy().await, doubted);
}

#[tokio::test]
async fn a_step_that_fails_does_not_stop_the_others() {
    let (database, pool) = world().await;
    run(&pool, "ALTER TABLE notification.dead_letters RENAME TO gone").await;
    let done = notification::Housekeeping::new(&database, KEEP).tidy().await;
    assert_eq!((done.failed, done.notifications_deleted), (1, 12_000));
}
