use std::fmt;
use std::time::Duration;

use runtime::StartError;
use runtime::config::{DatabaseArgs, Secret};
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::PgError;
use super::connect_options::connect_options;
use super::error::is_passing;
use super::timeouts::{close, sessions, within};

/// How long bringing the tables up to date may take.
const MIGRATION: Duration = Duration::from_mins(5);

/// A context's way to its Postgres: a pool of connections, cheap to clone.
///
/// It connects when it is first used, so that a program starts, and says that it is not ready,
/// while the database is down.
#[derive(Clone)]
pub struct Database {
    pool: PgPool,
    /// A connection for [`Database::ping`] alone: whether the database answers must not depend on
    /// how many others wait for it.
    probe: PgPool,
    options: PgConnectOptions,
    max_connections: u32,
    schema: Option<&'static str>,
}

/// The options hold a password.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}

/// Why the tables could not be brought up to date.
#[derive(Debug, thiserror::Error)]
#[error("cannot bring the tables up to date")]
pub struct MigrateError(#[from] sqlx::migrate::MigrateError);

impl From<PgError> for MigrateError {
    fn from(error: PgError) -> Self {
        Self(sqlx::Error::from(error).into())
    }
}

impl MigrateError {
    /// Whether the database could not be reached, so that trying again later is right. One that
    /// refuses the password, or does not exist, will go on doing so.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        match &self.0 {
            sqlx::migrate::MigrateError::Execute(error)
            | sqlx::migrate::MigrateError::ExecuteMigration(error, _) => is_passing(error),
            _ => false,
        }
    }
}

impl Database {
    /// The database these settings name, through as many connections as they say and one for
    /// [`Self::ping`]; `program` is what Postgres' own views call its sessions.
    ///
    /// # Errors
    /// When `DATABASE_URL` is wrong or its file cannot be read.
    pub fn new(args: &DatabaseArgs, program: &str) -> Result<Self, StartError> {
        Self::at(args.url()?, args.database_max_connections, program)
    }

    /// The database at a URL that this variable gives, through at most so many connections.
    ///
    /// # Errors
    /// When the URL is wrong.
    pub fn at(
        (variable, url): (&'static str, Secret),
        max_connections: u32,
        program: &str,
    ) -> Result<Self, StartError> {
        let options = connect_options(variable, url.reveal())?.application_name(program);
        let pool = sessions(max_connections, "").connect_lazy_with(options.clone());
        let probe = sessions(1, "").connect_lazy_with(options.clone());
        Ok(Self { pool, probe, options, max_connections, schema: None })
    }

    /// The same, with sessions that look for names without a schema in this one.
    #[must_use]
    pub fn in_schema(self, schema: &'static str) -> Self {
        let mut database = Self { schema: Some(schema), ..self };
        database.pool = database
            .sessions(database.max_connections, "")
            .connect_lazy_with(database.options.clone());
        database
    }

    /// The schema of [`Self::in_schema`].
    ///
    /// # Panics
    /// When none was named, which is a mistake in the program.
    #[must_use]
    pub fn schema(&self) -> &'static str {
        self.schema.expect("the database is used with a schema")
    }

    /// A pool of up to so many sessions, for connections apart from those of [`Self::pool`]. Each
    /// session executes `told` at its start.
    #[must_use]
    pub fn sessions(&self, most: u32, told: &str) -> PgPoolOptions {
        match self.schema {
            None => sessions(most, told),
            Some(schema) => sessions(most, &format!("SET search_path = {schema};\n{told}")),
        }
    }

    /// Whether a query can be answered now, on a connection of its own.
    ///
    /// # Errors
    /// When it cannot, told in one line.
    pub async fn ping(&self) -> Result<(), String> {
        sqlx::query("SELECT 1")
            .execute(&self.probe)
            .await
            .map(drop)
            .map_err(|error| application::one_line(&error))
    }

    /// Closes all connections, after the work they are doing.
    pub async fn close(&self) {
        tokio::join!(close(&self.pool), close(&self.probe));
    }

    /// The pool of connections.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// How to connect.
    #[must_use]
    pub const fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Runs what is left of a context's migrations. Several programs may do so at once: Postgres'
    /// advisory lock lets one through.
    ///
    /// # Errors
    /// When the database cannot be reached or a migration fails.
    pub async fn migrate(&self, migrator: Migrator, schema: &str) -> Result<(), MigrateError> {
        self.migrate_part(migrator, schema, "_migrations").await
    }

    /// The same for a part of a context's tables that has migrations of its own, recorded in this table.
    /// Names without a schema mean that of [`Self::in_schema`].
    ///
    /// # Errors
    /// When the database cannot be reached or a migration fails.
    pub async fn migrate_part(
        &self,
        migrator: Migrator,
        schema: &str,
        recorded_in: &str,
    ) -> Result<(), MigrateError> {
        let mut migrator = migrator;
        migrator.dangerous_set_table_name(format!("{schema}.{recorded_in}"));
        migrator.create_schema(schema.to_owned());
        // In an upgrade a newer program may have been here before.
        migrator.set_ignore_missing(true);
        // A session of its own: one whose migration failed keeps the lock for as long as it lives.
        let session = self.sessions(1, "").connect_lazy_with(self.options.clone());
        let done = within(MIGRATION, async { Ok(migrator.run(&session).await?) }).await;
        close(&session).await;
        done
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use embedded_postgres::testing::fresh_database;

    #[tokio::test]
    async fn a_database_whose_connections_are_all_in_use_answers_a_ping() {
        let args =
            DatabaseArgs { database_max_connections: 2, ..fresh_database().await.unwrap().args() };
        let database = Database::new(&args, "test").unwrap();
        let _in_use =
            [database.pool.acquire().await.unwrap(), database.pool.acquire().await.unwrap()];
        let waiting = database.pool.acquire();
        let ping = tokio::time::timeout(Duration::from_secs(2), database.ping());
        assert_eq!(ping.await, Ok(Ok(())));
        drop(waiting);
    }
}
