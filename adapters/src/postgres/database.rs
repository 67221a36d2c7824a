use std::fmt;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor, PgPool};

use super::connect_options::connect_options;
use super::error::is_passing;
use crate::StartError;
use crate::config::DatabaseArgs;

/// How long a request waits for a connection before it gives up.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// Connections that are kept open even when nobody asks.
const WARM: u32 = 2;

/// A context's way to its Postgres: a pool of connections, cheap to clone.
///
/// It connects when it is first used, so that a program starts, and says that it is not ready,
/// while the database is down.
#[derive(Clone)]
pub struct Database {
    pool: PgPool,
    options: PgConnectOptions,
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
    /// The database these settings name; `program` is what Postgres' own views call its sessions.
    ///
    /// # Errors
    /// When `DATABASE_URL` is wrong or its file cannot be read.
    pub fn new(args: &DatabaseArgs, program: &str) -> Result<Self, StartError> {
        let options = connect_options(args.url()?.reveal())?.application_name(program);
        let pool = PgPoolOptions::new()
            .max_connections(args.database_max_connections)
            // Logging in takes long beside a query; the first requests need not wait for it.
            .min_connections(WARM.min(args.database_max_connections))
            .acquire_timeout(ACQUIRE_TIMEOUT)
            // Who waits longer is told so; that a short wait was long is not worth a line.
            .acquire_slow_threshold(ACQUIRE_TIMEOUT)
            .idle_timeout(Duration::from_mins(1))
            .after_connect(|connection, _| {
                Box::pin(async move {
                    // No statement here may take longer; a stuck one must not hold a request.
                    connection.execute("SET statement_timeout = '10s'").await?;
                    Ok(())
                })
            })
            .connect_lazy_with(options.clone());
        Ok(Self { pool, options })
    }

    /// Whether a query can be answered now.
    ///
    /// # Errors
    /// When it cannot, told in one line.
    pub async fn ping(&self) -> Result<(), String> {
        sqlx::query("SELECT 1")
            .execute(&self.pool)
            .await
            .map(drop)
            .map_err(|error| crate::one_line(&error))
    }

    /// Closes all connections, after the work they are doing.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub(crate) const fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(crate) const fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Runs what is left of a context's migrations. Several programs may do so at once: Postgres'
    /// advisory lock lets one through.
    pub(crate) async fn migrate(
        &self,
        migrator: Migrator,
        schema: &str,
    ) -> Result<(), MigrateError> {
        let mut migrator = migrator;
        migrator.dangerous_set_table_name(format!("{schema}._migrations"));
        migrator.create_schema(schema.to_owned());
        Ok(migrator.run(&self.pool).await?)
    }
}
