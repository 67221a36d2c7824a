use std::time::Duration;

use sqlx::migrate::Migrate;
use sqlx::{ConnectOptions, Connection, PgPool};

use super::error::is_passing;
use super::timeouts::{close, within};
use super::{Database, PgError};

/// How long the migrations may take, so that a connection that hangs is noticed.
const MIGRATION: Duration = Duration::from_hours(1);

/// More settings for the session that runs migrations. A statement may take long, but it must not wait
/// long for a lock: all writers wait behind it meanwhile. It is tried again. Notices only say that
/// something exists already, so they are not logged.
const MIGRATION_SESSION: &str = "SET statement_timeout = 0; SET lock_timeout = '200ms'; \
                                 SET client_min_messages = warning";

/// Why the migrations failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot migrate the tables")]
pub struct MigrateError(#[from] sqlx::migrate::MigrateError);

impl From<PgError> for MigrateError {
    fn from(error: PgError) -> Self {
        Self(sqlx::Error::from(error).into())
    }
}

impl MigrateError {
    /// Whether the database could not be reached, so that a retry may succeed. A wrong password or
    /// a database that does not exist is not retried.
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
    /// Runs the pending migrations of the context. Several programs may do this at the same time: an
    /// advisory lock lets one of them in at a time.
    ///
    /// # Errors
    /// When the database cannot be reached or a migration fails.
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        let session = self.sessions(1, MIGRATION_SESSION);
        let session = session.connect_lazy_with(self.options().clone());
        let run = async {
            // A session of its own holds the lock of the migrations until it ends. The wait for it may
            // be long, because another program may run long migrations, so it is not logged as a slow
            // statement.
            let options = self.options().clone().disable_statement_logging();
            let mut turn = options.connect().await.map_err(PgError::from)?;
            turn.lock().await?;
            let done = self.run_migrations(&session).await;
            let _ = turn.close().await;
            done
        };
        let done = within(MIGRATION, run).await;
        close(&session).await;
        done
    }

    async fn run_migrations(&self, session: &PgPool) -> Result<(), MigrateError> {
        for migrations in self.tables().migrations {
            let mut migrator = (migrations.files)();
            let recorded_in = format!("{}.{}", self.schema(), migrations.recorded_in);
            migrator.dangerous_set_table_name(recorded_in);
            migrator.create_schema(self.schema());
            migrator.set_locking(false);
            // During an upgrade, a newer program may have run migrations that this one does not know.
            migrator.set_ignore_missing(true);
            migrator.run(session).await?;
        }
        Ok(())
    }
}
