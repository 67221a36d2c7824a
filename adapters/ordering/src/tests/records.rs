//! Tests of the constraints of the outbox, which apply to every writer.

use runtime::clock;
use sqlx::AssertSqlSafe;

use super::{Fixture, place};

/// Columns and values that a relay could not read.
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
async fn the_outbox_refuses_records_that_a_relay_could_not_read() {
    let fixture = Fixture::new().await;
    fixture.save(&place(clock::new_order_id())).await;
    let later = "SELECT ordering.create_outbox_day((now() AT TIME ZONE 'UTC')::date + 100)";
    sqlx::query(later).execute(fixture.database.pool()).await.unwrap();

    for days in [0, 100] {
        assert_eq!(
            copy(&fixture, days, "lane", "lane").await,
            None,
            "an unchanged copy is accepted"
        );
        for (column, value) in UNREADABLE {
            let refused = copy(&fixture, days, column, value).await;
            assert_eq!(refused.as_deref(), Some("23514"), "{column} = {value} in {days} days");
        }
    }
}

/// Inserts a copy of the existing record with one column changed. Returns the SQLSTATE if it is
/// refused.
async fn copy(fixture: &Fixture, days: i32, column: &str, value: &str) -> Option<String> {
    let copy = format!(
        "CREATE TEMPORARY TABLE copy ON COMMIT DROP AS SELECT * FROM ordering.outbox LIMIT 1;
         UPDATE copy SET position = 1000, recorded_at = recorded_at + interval '{days} days';
         UPDATE copy SET {column} = {value};
         INSERT INTO ordering.outbox SELECT * FROM copy"
    );
    let refused =
        sqlx::raw_sql(AssertSqlSafe(copy)).execute(fixture.database.pool()).await.err()?;
    Some(refused.as_database_error()?.code()?.into_owned())
}
