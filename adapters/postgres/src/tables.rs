//! Checks whether a context's tables are up to date, without changing them.

use std::collections::HashSet;

use application::StoreError;
use sqlx::AssertSqlSafe;
use sqlx::migrate::Migrator;

use super::timeouts::in_time;
use super::{Database, PgError};

/// SQLSTATE of a table that does not exist.
const UNDEFINED_TABLE: &str = "42P01";

/// Why a context's tables cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TablesError {
    /// They do not exist.
    #[error(
        "this database has no tables of schema {schema}; start {program} once, which creates them, \
         or set DATABASE_URL to another database"
    )]
    Missing {
        /// The context's schema.
        schema: &'static str,
        /// The program that creates them.
        program: &'static str,
    },
    /// They are older than this program.
    #[error(
        "the tables of schema {schema} are older than this program; start this version of {program} \
         once, which brings them up to date"
    )]
    Outdated {
        /// The context's schema.
        schema: &'static str,
        /// The program that brings them up to date.
        program: &'static str,
    },
    /// The database failed.
    #[error("the tables of schema {schema} cannot be checked")]
    Store {
        /// The context's schema.
        schema: &'static str,
        /// The error of the store.
        #[source]
        source: StoreError,
    },
}

impl Database {
    /// Checks that all migrations of a context were run. Changes nothing.
    ///
    /// # Errors
    /// When one was not, or the database cannot be reached.
    pub async fn check_tables(
        &self,
        migrator: &Migrator,
        schema: &'static str,
        program: &'static str,
    ) -> Result<(), TablesError> {
        self.check_tables_part(migrator, schema, "_migrations", program).await
    }

    /// The same for a part of a context's tables whose migrations are recorded in the table
    /// `recorded_in`.
    ///
    /// # Errors
    /// When a migration was not run, or the database cannot be reached.
    pub async fn check_tables_part(
        &self,
        migrator: &Migrator,
        schema: &'static str,
        recorded_in: &'static str,
        program: &'static str,
    ) -> Result<(), TablesError> {
        let done = match in_time(self.migrations_done(schema, recorded_in)).await {
            Ok(done) => done,
            Err(source) => return Err(TablesError::Store { schema, source: source.into() }),
        };
        match done {
            None => Err(TablesError::Missing { schema, program }),
            Some(done) if done.is_empty() => Err(TablesError::Missing { schema, program }),
            Some(done) if migrator.iter().any(|one| !done.contains(&one.version)) => {
                Err(TablesError::Outdated { schema, program })
            }
            Some(_) => Ok(()),
        }
    }

    /// The versions of the migrations that were run. `None` if the table that records them does not
    /// exist.
    async fn migrations_done(
        &self,
        schema: &str,
        recorded_in: &str,
    ) -> Result<Option<HashSet<i64>>, PgError> {
        let query = format!("SELECT version FROM {schema}.{recorded_in} WHERE success");
        let done = sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(self.pool()).await;
        match done {
            Ok(versions) => Ok(Some(versions.into_iter().collect())),
            Err(sqlx::Error::Database(error))
                if error.code().as_deref() == Some(UNDEFINED_TABLE) =>
            {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use embedded_postgres::testing::fresh_database;

    use super::*;

    fn migrations() -> Migrator {
        sqlx::migrate!("../../migrations/outbox")
    }

    async fn check(database: &Database) -> Result<(), TablesError> {
        database.check_tables(&migrations(), "parcels", "parcels").await
    }

    #[tokio::test]
    async fn tables_are_checked_and_nothing_is_changed() {
        let fresh = fresh_database().await.unwrap();
        let database = Database::new(&fresh.args(), "test").unwrap().in_schema("parcels");
        let found = check(&database).await;
        assert!(matches!(found, Err(TablesError::Missing { .. })), "{found:?}");
        let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'parcels'";
        let schemas: i64 = sqlx::query_scalar(schemas).fetch_one(database.pool()).await.unwrap();
        assert_eq!(schemas, 0);

        database.migrate(migrations(), "parcels").await.unwrap();
        check(&database).await.unwrap();

        let forget = "DELETE FROM parcels._migrations WHERE version = 2";
        sqlx::query(forget).execute(database.pool()).await.unwrap();
        let found = check(&database).await;
        assert!(matches!(found, Err(TablesError::Outdated { .. })), "{found:?}");
    }

    #[tokio::test]
    async fn an_unreachable_database_is_not_reported_as_one_without_tables() {
        let fresh = fresh_database().await.unwrap();
        let database = Database::new(&fresh.args(), "test").unwrap().in_schema("parcels");
        database.close().await;
        let found = check(&database).await;
        assert!(matches!(found, Err(TablesError::Store { .. })), "{found:?}");
    }
}
