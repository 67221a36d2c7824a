//! The tables of a context, and a check whether they are up to date.

use std::collections::HashSet;

use application::StoreError;
use runtime::StartError;
use sqlx::AssertSqlSafe;
use sqlx::migrate::Migrator;

use super::timeouts::in_time;
use super::{Database, PgError};

/// SQLSTATE of a table that does not exist.
const UNDEFINED_TABLE: &str = "42P01";

/// The tables of a bounded context: a Postgres schema, and the migrations that create its tables.
#[derive(Debug)]
pub struct ContextTables {
    /// The schema.
    pub schema: &'static str,
    /// The program that runs the migrations when it starts. Error messages name it.
    pub program: &'static str,
    /// The sources of migrations, in the order in which they run.
    pub migrations: &'static [Migrations],
}

/// One source of migrations. Names without a schema refer to the schema of the context.
#[derive(Debug)]
pub struct Migrations {
    /// Returns the migrations.
    pub files: fn() -> Migrator,
    /// The table that records which of them were run.
    pub recorded_in: &'static str,
}

/// Why a context's tables cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TablesError {
    /// They do not exist.
    #[error(
        "this database has no tables of schema {schema}; run `{program} migrate`, which creates \
         them, or set DATABASE_URL to another database"
    )]
    Missing {
        /// The context's schema.
        schema: &'static str,
        /// The program that creates them.
        program: &'static str,
    },
    /// They are older than this program.
    #[error(
        "the tables of schema {schema} are older than this program; run `migrate` of this version of \
         {program}, which brings them up to date"
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

/// For a command that stops when it cannot use its tables.
impl From<TablesError> for StartError {
    fn from(error: TablesError) -> Self {
        Self::other("cannot use the database", error)
    }
}

impl Database {
    /// Checks that all migrations of the context were run. Changes nothing.
    ///
    /// # Errors
    /// When one was not, or the database cannot be reached.
    pub async fn check_tables(&self) -> Result<(), TablesError> {
        let ContextTables { schema, program, migrations } = *self.tables();
        for source in migrations {
            let done = self.done(source).await?;
            if done.is_empty() {
                return Err(TablesError::Missing { schema, program });
            }
            if pending(source, &done).next().is_some() {
                return Err(TablesError::Outdated { schema, program });
            }
        }
        Ok(())
    }

    /// The names of the migrations that were not run yet.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, TablesError> {
        let mut names = Vec::new();
        for source in self.tables().migrations {
            let done = self.done(source).await?;
            names.extend(pending(source, &done));
        }
        Ok(names)
    }

    async fn done(&self, source: &Migrations) -> Result<HashSet<i64>, TablesError> {
        let schema = self.schema();
        in_time(self.migrations_done(source.recorded_in))
            .await
            .map_err(|source| TablesError::Store { schema, source: source.into() })
    }

    /// The versions of the migrations that were run; none if the table that records them does not
    /// exist.
    async fn migrations_done(&self, recorded_in: &str) -> Result<HashSet<i64>, PgError> {
        let query = format!("SELECT version FROM {recorded_in} WHERE success");
        let done = sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(self.pool()).await;
        match done {
            Ok(versions) => Ok(versions.into_iter().collect()),
            Err(sqlx::Error::Database(error))
                if error.code().as_deref() == Some(UNDEFINED_TABLE) =>
            {
                Ok(HashSet::new())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The names of the migrations that are not among those that were run.
fn pending(source: &Migrations, done: &HashSet<i64>) -> impl Iterator<Item = String> {
    let all = (source.files)();
    let pending: Vec<String> = all
        .iter()
        .filter(|one| !done.contains(&one.version))
        .map(|one| format!("{:04} {}", one.version, one.description))
        .collect();
    pending.into_iter()
}

#[cfg(test)]
mod tests {
    use embedded_postgres::testing::fresh_database;

    use super::*;

    static PARCELS: ContextTables = ContextTables {
        schema: "parcels",
        program: "parcels",
        migrations: &[Migrations {
            files: || sqlx::migrate!("../../migrations/outbox"),
            recorded_in: "_migrations",
        }],
    };

    #[tokio::test]
    async fn tables_are_checked_and_nothing_is_changed() {
        let fresh = fresh_database().await.unwrap();
        let database = Database::new(&PARCELS, &fresh.args(), "test").unwrap();
        let found = database.check_tables().await;
        assert!(matches!(found, Err(TablesError::Missing { .. })), "{found:?}");
        let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'parcels'";
        let schemas: i64 = sqlx::query_scalar(schemas).fetch_one(database.pool()).await.unwrap();
        assert_eq!(schemas, 0);

        database.migrate().await.unwrap();
        database.check_tables().await.unwrap();

        let forget = "DELETE FROM parcels._migrations WHERE version = 2";
        sqlx::query(forget).execute(database.pool()).await.unwrap();
        let found = database.check_tables().await;
        assert!(matches!(found, Err(TablesError::Outdated { .. })), "{found:?}");
    }

    #[tokio::test]
    async fn an_unreachable_database_is_not_reported_as_one_without_tables() {
        let fresh = fresh_database().await.unwrap();
        let database = Database::new(&PARCELS, &fresh.args(), "test").unwrap();
        database.close().await;
        let found = database.check_tables().await;
        assert!(matches!(found, Err(TablesError::Store { .. })), "{found:?}");
    }
}
