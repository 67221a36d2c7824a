//! The tables are brought up to date beside programs of other versions.

use std::time::Duration;

use sqlx::migrate::Migrator;

use super::fresh_database;
use crate::ordering::migrate;
use crate::{Database, notification};

/// How many migrations a program of the version before has.
const BEFORE: usize = 3;

#[tokio::test]
async fn a_program_of_the_version_before_starts_after_a_newer_one() {
    let database = database().await;
    migrate(&database).await.unwrap();
    database.migrate(of_the_version_before(), "ordering").await.unwrap();
}

#[tokio::test]
async fn a_migration_that_finds_its_table_in_use_is_put_off_and_holds_nobody_up() {
    let database = database().await;
    database.migrate(of_the_version_before(), "ordering").await.unwrap();
    let mut reader = database.pool().begin().await.unwrap();
    sqlx::query("SELECT FROM ordering.outbox").execute(&mut *reader).await.unwrap();

    let refused = migrate(&database).await.unwrap_err();
    assert!(refused.is_unavailable(), "it is to be tried again: {refused:?}");
    let others = notification::migrate(&database);
    tokio::time::timeout(Duration::from_secs(5), others).await.unwrap().unwrap();

    reader.rollback().await.unwrap();
    migrate(&database).await.unwrap();
}

async fn database() -> Database {
    Database::new(&fresh_database().await.unwrap().args(), "migrating").unwrap()
}

fn of_the_version_before() -> Migrator {
    let all = sqlx::migrate!("../../migrations/ordering");
    Migrator { migrations: all.migrations[..BEFORE].to_vec().into(), ..all }
}
