//! Housekeeping deletes settled dead letters after their retention, and nothing else.

use std::time::Duration;

use adapter_pharmacy::{Housekeeping, HousekeepingReport, Retention};
use adapter_postgres::Database;

use crate::database;

const MONTH: Duration = Duration::from_hours(30 * 24);

const KEEP: Retention = Retention { events: MONTH, dead_letters: MONTH };

/// Inserts dead letters. Their topic names the case.
const DEAD_LETTERS: &str = "
    INSERT INTO dead_letters
        (topic, topic_partition, topic_offset, reason, state, kept_at, settled_at)
    SELECT name, 0, n, 'why', state, now() - interval '1 year', now() - age
    FROM generate_series(1, 3000) AS n CROSS JOIN (VALUES
        ('open', 'open', NULL),
        ('young', 'retried', interval '29 days'),
        ('retried', 'retried', interval '31 days'),
        ('discarded', 'discarded', interval '31 days')) AS letter (name, state, age)";

async fn fixture() -> Database {
    let database = database().await;
    sqlx::query(DEAD_LETTERS).execute(database.pool()).await.unwrap();
    database
}

#[tokio::test]
async fn settled_dead_letters_are_deleted_after_their_retention() {
    let database = fixture().await;
    let done = Housekeeping::new(&database, KEEP).tidy().await;
    let expected = HousekeepingReport { dead_letters_deleted: 6000, ..Default::default() };
    assert_eq!(done, expected);
    let left = sqlx::query_scalar("SELECT DISTINCT topic FROM dead_letters ORDER BY topic");
    let left: Vec<String> = left.fetch_all(database.pool()).await.unwrap();
    assert_eq!(left, ["open", "young"]);
}

#[tokio::test]
async fn a_clock_that_jumps_deletes_nothing() {
    let database = fixture().await;
    let jump = "UPDATE housekeeping_clock SET believed_at = now() - interval '40 days'";
    sqlx::query(jump).execute(database.pool()).await.unwrap();
    let doubted = HousekeepingReport { clock_doubted: true, ..Default::default() };
    assert_eq!(Housekeeping::new(&database, KEEP).tidy().await, doubted);
}
