//! The embedded Postgres, for real.

use adapters::embedded::test_postgres::fresh_database;
use adapters::postgres::Database;

#[tokio::test]
async fn a_fresh_database_answers() {
    let fresh = fresh_database().await.unwrap();
    let database = Database::new(&fresh.args(), "test").unwrap();
    assert_eq!(database.ping().await, Ok(()));
}

#[tokio::test]
async fn each_test_has_a_database_of_its_own() {
    let (one, other) = (fresh_database().await.unwrap(), fresh_database().await.unwrap());
    assert_ne!(one.url(), other.url());
}
