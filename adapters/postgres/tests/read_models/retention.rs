//! Housekeeping deletes settled rows after their retention, and nothing else.

use std::time::Duration;

use adapter_notification as notification;
use adapter_pharmacy as pharmacy;
use adapter_postgres::Database;
use sqlx::{AssertSqlSafe, PgPool};

use crate::fixture::database_and_pool;

const MONTH: Duration = Duration::from_hours(30 * 24);

const KEEP: notification::Retention =
    notification::Retention { dead_letters: MONTH, notifications: MONTH };

async fn run(pool: &PgPool, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(pool).await.unwrap();
}

async fn keys(pool: &PgPool, query: &'static str) -> Vec<String> {
    sqlx::query_scalar(query).fetch_all(pool).await.unwrap()
}

/// Inserts dead letters. Their topic names the case.
async fn insert_dead_letters(pool: &PgPool, schema: &str) {
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

/// Inserts notifications. Their message names the case.
async fn insert_notifications(pool: &PgPool) {
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

async fn fixture() -> (Database, PgPool) {
    let (database, pool) = database_and_pool().await;
    for schema in ["pharmacy", "notification"] {
        insert_dead_letters(&pool, schema).await;
    }
    insert_notifications(&pool).await;
    (database, pool)
}

#[tokio::test]
async fn settled_dead_letters_are_deleted_after_their_retention() {
    let (database, pool) = fixture().await;
    let done = pharmacy::Housekeeping::new(&database, KEEP.dead_letters).tidy().await;
    let expected =
        pharmacy::HousekeepingReport { dead_letters_deleted: 6000, ..Default::default() };
    assert_eq!(done, expected);
    let left = "SELECT DISTINCT topic FROM pharmacy.dead_letters ORDER BY topic";
    assert_eq!(keys(&pool, left).await, ["open", "young"]);
}

#[tokio::test]
async fn settled_notifications_are_deleted_after_their_retention() {
    let (database, pool) = fixture().await;
    let housekeeping = notification::Housekeeping::new(&database, KEEP);
    let expected = notification::HousekeepingReport {
        dead_letters_deleted: 6000,
        notifications_deleted: 12_000,
        ..Default::default()
    };
    assert_eq!(housekeeping.tidy().await, expected);
    let left = "SELECT DISTINCT message FROM notification.notifications ORDER BY message";
    assert_eq!(keys(&pool, left).await, ["ahead", "pending", "young"]);
    let left = "SELECT DISTINCT topic FROM notification.dead_letters ORDER BY topic";
    assert_eq!(keys(&pool, left).await, ["open", "young"]);
    let ahead = "SELECT message FROM notification.notifications WHERE recorded_at > now()";
    assert_eq!(keys(&pool, ahead).await, [""; 0], "recorded while the clock was ahead");
    assert_eq!(housekeeping.tidy().await, notification::HousekeepingReport::default());
}

#[tokio::test]
async fn a_clock_that_jumps_deletes_nothing() {
    let (database, pool) = fixture().await;
    for schema in ["pharmacy", "notification"] {
        let jump = format!(
            "UPDATE {schema}.housekeeping_clock SET believed_at = now() - interval '40 days'"
        );
        run(&pool, &jump).await;
    }
    let housekeeping = pharmacy::Housekeeping::new(&database, KEEP.dead_letters);
    let doubted = pharmacy::HousekeepingReport { clock_doubted: true, ..Default::default() };
    assert_eq!(housekeeping.tidy().await, doubted);
    let housekeeping = notification::Housekeeping::new(&database, KEEP);
    let doubted = notification::HousekeepingReport { clock_doubted: true, ..Default::default() };
    assert_eq!(housekeeping.tidy().await, doubted);
}

#[tokio::test]
async fn a_step_that_fails_does_not_stop_the_others() {
    let (database, pool) = fixture().await;
    run(&pool, "ALTER TABLE notification.dead_letters RENAME TO gone").await;
    let done = notification::Housekeeping::new(&database, KEEP).tidy().await;
    assert_eq!((done.failed, done.notifications_deleted), (1, 12_000));
}
