use std::fmt;
use std::sync::Arc;

use runtime::StartError;
use runtime::config::{DatabaseArgs, Migrate, Secret};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::ContextTables;
use super::connect_options::connect_options;
use super::timeouts::{close, probe, sessions};

/// A pool of connections to the Postgres of a context. Cheap to clone.
///
/// The `search_path` of its sessions is the schema of the context, so statements name no schema.
///
/// It connects when it is first used. So a program can start while the database is down; it is then
/// not ready.
#[derive(Clone)]
pub struct Database {
    pool: PgPool,
    /// A connection only for [`Database::ping`], so that a ping does not have to wait for a free
    /// connection of the pool.
    probe: PgPool,
    /// Shared, because routes clone the database for each request.
    options: Arc<PgConnectOptions>,
    tables: &'static ContextTables,
    migrate: Migrate,
}

/// Omits the options, because they contain a password.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}

impl Database {
    /// The database of these settings, with the configured number of connections and one more for
    /// [`Self::ping`]. `program` is the `application_name` of the sessions.
    ///
    /// # Errors
    /// When `DATABASE_URL` is wrong or its file cannot be read.
    pub fn new(
        tables: &'static ContextTables,
        args: &DatabaseArgs,
        program: &str,
    ) -> Result<Self, StartError> {
        let database = Self::at(tables, args.url()?, args.database_max_connections, program)?;
        Ok(Self { migrate: args.migrate, ..database })
    }

    /// The database at the URL from this environment variable, with at most `max_connections`
    /// connections. It is not migrated.
    ///
    /// # Errors
    /// When the URL is wrong.
    pub fn at(
        tables: &'static ContextTables,
        (variable, url): (&'static str, Secret),
        max_connections: u32,
        program: &str,
    ) -> Result<Self, StartError> {
        let options = connect_options(variable, url.reveal())?.application_name(program);
        let probe = probe().connect_lazy_with(options.clone());
        let pool = sessions_in(tables.schema, max_connections, "", &probe);
        let pool = pool.connect_lazy_with(options.clone());
        Ok(Self { pool, probe, options: Arc::new(options), tables, migrate: Migrate::Off })
    }

    /// The tables of the context.
    #[must_use]
    pub const fn tables(&self) -> &'static ContextTables {
        self.tables
    }

    /// Whether programs run pending migrations when they start.
    pub(super) const fn migrates(&self) -> bool {
        matches!(self.migrate, Migrate::On)
    }

    /// The schema of the context.
    #[must_use]
    pub const fn schema(&self) -> &'static str {
        self.tables.schema
    }

    /// A separate pool of at most `max_connections` sessions. Each session executes `setup` when it
    /// starts.
    #[must_use]
    pub fn sessions(&self, max_connections: u32, setup: &str) -> PgPoolOptions {
        sessions_in(self.schema(), max_connections, setup, &self.probe)
    }

    /// Executes a query on a connection of its own, to check that the database answers.
    ///
    /// # Errors
    /// Why it does not answer, in one line.
    pub async fn ping(&self) -> Result<(), String> {
        sqlx::query("SELECT 1")
            .execute(&self.probe)
            .await
            .map(drop)
            .map_err(|error| application::one_line(&error))
    }

    /// Opens half of the sessions, one after the other, or as many as the server allows.
    ///
    /// Otherwise the pool would open them at the first burst of requests, all at the same time. On a
    /// busy host the logins then take longer than a request waits; sqlx cancels a login together with
    /// the request that needed it, and the next request starts again.
    pub(super) async fn open_sessions(&self) {
        let mut open = Vec::new();
        while open.len() < self.pool.options().get_max_connections().div_ceil(2) as usize {
            match self.pool.acquire().await {
                Ok(session) => open.push(session),
                Err(error) => {
                    tracing::debug!(%error, "opened {} sessions in advance", open.len());
                    return;
                }
            }
        }
    }

    /// Waits for the work in progress, then closes all connections.
    pub async fn close(&self) {
        tokio::join!(close(&self.pool), close(&self.probe));
    }

    /// The pool of connections.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The options to connect with.
    #[must_use]
    pub fn options(&self) -> &PgConnectOptions {
        &self.options
    }
}

/// Sessions whose `search_path` is this schema.
fn sessions_in(schema: &str, max_connections: u32, setup: &str, probe: &PgPool) -> PgPoolOptions {
    let setup = format!("SET search_path = {schema};\n{setup}");
    sessions(max_connections, &setup, Some(probe.clone()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::MigrationGate;
    use embedded_postgres::testing::fresh_database;

    static EMPTY: ContextTables =
        ContextTables { schema: "empty", program: "test", migrations: &[] };

    #[tokio::test]
    async fn half_of_the_sessions_are_open_before_the_first_burst_of_requests() {
        let args =
            DatabaseArgs { database_max_connections: 5, ..fresh_database().await.unwrap().args() };
        let database = Database::new(&EMPTY, &args, "test").unwrap();
        MigrationGate::default().prepare(&database).await.unwrap();
        assert_eq!(database.pool.size(), 3);
    }

    #[tokio::test]
    async fn a_database_whose_connections_are_all_in_use_answers_a_ping() {
        let args =
            DatabaseArgs { database_max_connections: 2, ..fresh_database().await.unwrap().args() };
        let database = Database::new(&EMPTY, &args, "test").unwrap();
        let _in_use =
            [database.pool.acquire().await.unwrap(), database.pool.acquire().await.unwrap()];
        let waiting = database.pool.acquire();
        let ping = tokio::time::timeout(Duration::from_secs(2), database.ping());
        assert_eq!(ping.await, Ok(Ok(())));
        drop(waiting);
    }
}
