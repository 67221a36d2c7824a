//! What the outbox takes, whoever writes into it.

use runtime::clock;
use sqlx::AssertSqlSafe;

use super::{World, place};

/// A column, and what it would be set to.
const UNREADABLE: [(&str, &str); 9] = [
    ("lane", "16"),
    ("lane", "-1"),
    ("position", "0"),
    ("order_version", "0"),
    ("headers", "'[]'"),
    ("headers", r#"'{"attempt": 1}'"#),
    ("headers", r#"'{"traceparent": ["00"]}'"#),
    ("occurred_at", "'infinity'"),
    ("occurred_at", "'20000-01-01T00:00:00Z'"),
];

#[tokio::test]
async fn the_outbox_takes_no_record_that_a_relay_could_not_read() {
    let world = World::new().await;
    world.save(&place(clock::new_order_id())).await;
    let later = "SELECT ordering.create_outbox_day((now() AT TIME ZONE 'UTC')::date + 100)";
    sqlx::query(later).execute(world.database.pool()).await.unwrap();

    for days in [0, 100] {
        assert_eq!(copy(&world, days, "lane", "lane").await, None, "as it is, it is taken");
        for (column, value) in UNREADABLE {
            let refused = copy(&world, days, column, value).await;
            assert_eq!(refused.as_deref(), Some("23514"), "{column} = {value} in {days} days");
        }
    }
}

/// Adds a copy of the record that is there, with one column changed; gives the SQLSTATE if it is
/// refused.
async fn copy(world: &World, days: i32, column: &str, value: &str) -> Option<String> {
    let copy = format!(
        "CREATE TEMPORARY TABLE copy ON COMMIT DROP AS SELECT * FROM ordering.outbox LIMIT 1;
         UPDATE copy SET position = 1000, recorded_at = recorded_at + interval '{days} days';
         UPDATE copy SET {column} = {value};
         INSERT INTO ordering.outbox SELECT * FROM copy"
    );
    let refused = sqlx::raw_sql(AssertSqlSafe(copy)).execute(world.database.pool()).await.err()?;
    Some(refused.as_database_error()?.code()?.into_owned())
}
