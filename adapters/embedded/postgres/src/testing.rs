//! A throw-away Postgres for tests: one server for a test program, a database for each test.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use runtime::StartError;
use runtime::clock;
use runtime::config::DatabaseArgs;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::sync::OnceCell;

use super::{EmbeddedPostgres, PostgresSettings};

static SERVER: OnceCell<EmbeddedPostgres> = OnceCell::const_new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// An empty database of one test's own. The server goes, with all data, when the program ends.
#[derive(Debug, Clone)]
pub struct FreshDatabase {
    url: String,
}

/// Makes an empty database, on a server that is started by the first test that asks.
///
/// # Errors
/// When Postgres cannot be started; the message says what to install.
pub async fn fresh_database() -> Result<FreshDatabase, StartError> {
    let server = SERVER.get_or_try_init(start).await?;
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    server.create_database(&name).await?;
    Ok(FreshDatabase { url: server.url(&name) })
}

async fn start() -> Result<EmbeddedPostgres, StartError> {
    let name = format!("orders-test-{:08x}", clock::random() >> 96);
    let home: PathBuf = std::env::temp_dir().join(name);
    EmbeddedPostgres::start(&PostgresSettings { home, keep: false }).await
}

impl FreshDatabase {
    /// Where it is, as `DATABASE_URL` wants it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Executes SQL in it, as somebody may who has the password.
    ///
    /// # Errors
    /// When Postgres refuses.
    pub async fn execute(&self, sql: &str) -> Result<(), StartError> {
        let failed = |error| StartError::other("the SQL failed", error);
        let mut connection = PgConnection::connect(&self.url).await.map_err(failed)?;
        connection.execute(AssertSqlSafe(sql.to_owned())).await.map_err(failed)?;
        connection.close().await.map_err(failed)
    }

    /// Where it is, as a program's settings.
    #[must_use]
    pub fn args(&self) -> DatabaseArgs {
        DatabaseArgs::at(self.url.as_str(), 10)
    }
}
