//! Commits that wait for a synchronous standby that is gone.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use adapter_postgres::{ContextTables, Database};
use embedded_postgres::testing::fresh_database;
use runtime::config::DatabaseArgs;
use sqlx::PgPool;
use test_support::eventually;

static TABLES: ContextTables = ContextTables { schema: "public", program: "test", migrations: &[] };

async fn waiting_commits(pool: &PgPool) -> i64 {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    sqlx::query_scalar(waiting).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn requests_that_are_given_up_leave_no_more_sessions_than_the_pool_has() {
    let fresh = fresh_database().await.unwrap();
    let args = DatabaseArgs { database_max_connections: 2, ..fresh.args() };
    let database = Database::new(&TABLES, &args, "test").unwrap();
    let observer = PgPool::connect(fresh.url()).await.unwrap();
    fresh.execute("CREATE TABLE orders ()").await.unwrap();
    for statement in
        ["ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()"]
    {
        fresh.execute(statement).await.unwrap();
    }
    let applies = || async {
        let names = sqlx::query_scalar::<_, String>("SHOW synchronous_standby_names");
        names.fetch_one(&observer).await.unwrap() == "nobody"
    };
    eventually("the setting applies", applies).await;

    for _ in 0..8 {
        let order = sqlx::query("INSERT INTO orders DEFAULT VALUES").execute(database.pool());
        assert!(tokio::time::timeout(Duration::from_millis(200), order).await.is_err());
        assert!(waiting_commits(&observer).await <= 2);
    }
    assert_eq!(waiting_commits(&observer).await, 2);
    for statement in ["ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()"] {
        fresh.execute(statement).await.unwrap();
    }
    let answered = || async {
        let count = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM orders");
        count.fetch_one(database.pool()).await.is_ok()
    };
    eventually("the sessions are used again", answered).await;
    let kept: i64 =
        sqlx::query_scalar("SELECT count(*) FROM orders").fetch_one(database.pool()).await.unwrap();
    assert_eq!(kept, 2);
}
