//! Tests of the notification context's tables on a real Postgres.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod backlog;
mod contracts;
mod notifications;
mod retention;

use adapter_notification::TABLES;
use adapter_postgres::Database;
use embedded_postgres::testing::fresh_database;
use sqlx::PgPool;

/// A fresh database with the tables of the notification context.
async fn database() -> Database {
    let fresh = fresh_database().await.unwrap();
    let database = Database::new(&TABLES, &fresh.args(), "test").unwrap();
    database.migrate().await.unwrap();
    database
}

/// Makes all pending notifications due, also those that are leased.
async fn make_due(pool: &PgPool) {
    let all = "UPDATE notifications SET due_at = now() WHERE state = 'pending' AND due_at > now()";
    sqlx::query(all).execute(pool).await.unwrap();
}
