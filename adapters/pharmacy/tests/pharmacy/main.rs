//! Tests of the pharmacy's tables on a real Postgres.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod contracts;
mod orders;
mod retention;
mod upgrading;

use adapter_pharmacy::TABLES;
use adapter_postgres::Database;
use embedded_postgres::testing::fresh_database;

/// A fresh database with the tables of the pharmacy.
async fn database() -> Database {
    let fresh = fresh_database().await.unwrap();
    let database = Database::new(&TABLES, &fresh.args(), "test").unwrap();
    database.migrate().await.unwrap();
    database
}
