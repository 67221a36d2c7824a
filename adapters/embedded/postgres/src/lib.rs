//! A real Postgres server that belongs to this process and never outlives it.

mod account;
mod binaries;
mod data_folder;
mod download;
mod home;
mod predecessor;
mod search;
mod server;
pub mod testing;
#[cfg(test)]
mod tests;

pub use home::default_home;

use std::path::PathBuf;

use runtime::StartError;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, Connection, Executor};

use self::account::Account;
use self::binaries::Binaries;
use self::data_folder::DataFolder;
use self::download::Downloads;
use self::home::cache;
use self::search::Search;
use self::server::{Server, Starting};

/// The role that owns everything in the server.
const ROLE: &str = "orders";

/// How the server is to be run.
#[derive(Debug, Clone)]
pub struct PostgresSettings {
    /// The folder that holds the server's files; created when missing.
    pub home: PathBuf,
    /// Whether the data are of value. If not, the server need not wait for the disk, and the
    /// folder is removed once the server has stopped.
    pub keep: bool,
}

/// A running server. Dropping it, or the death of this process, stops it.
#[derive(Debug)]
pub struct EmbeddedPostgres {
    server: Server,
    // The lock on the folder is held as long as the server runs.
    _folder: DataFolder,
    options: PgConnectOptions,
    password: String,
}

impl EmbeddedPostgres {
    /// Starts a server on a free port of the loopback address, on the data that are there or,
    /// the first time, on new ones. Waits until it answers.
    ///
    /// # Errors
    /// When no Postgres can be found or downloaded, the folder cannot be used, or another process
    /// uses it; in one line that says what to do.
    pub async fn start(settings: &PostgresSettings) -> Result<Self, StartError> {
        Self::start_with(settings, &Search::of_this_host(), &Downloads::in_cache(cache())).await
    }

    async fn start_with(
        settings: &PostgresSettings,
        search: &Search,
        downloads: &Downloads,
    ) -> Result<Self, StartError> {
        let account = Account::for_server()?;
        let folder = DataFolder::open(settings, &account)?;
        let binaries = Binaries::find_or_download(search, downloads, &folder, &account).await?;
        folder.initialise(&binaries, &account)?;
        let password = folder.password()?;
        loop {
            let mut server = Server::start(&folder, &binaries, &account).await?;
            let options = PgConnectOptions::new_without_pgpass()
                .host("127.0.0.1")
                .port(server.port())
                .username(ROLE)
                .password(&password)
                .ssl_mode(PgSslMode::Disable)
                .database("postgres");
            if answers(&mut server, &options, &folder).await? {
                return Ok(Self { server, _folder: folder, options, password });
            }
        }
    }

    /// Where a database of this server is, as `DATABASE_URL` wants it.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let Self { password, server, .. } = self;
        format!(
            "postgres://{ROLE}:{password}@127.0.0.1:{}/{database}?sslmode=disable",
            server.port()
        )
    }

    /// Creates a database unless it exists. The name must be plain letters, digits and underscores.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn create_database(&self, name: &str) -> Result<(), StartError> {
        let failed = |error| StartError::other(format!("cannot create the database {name}"), error);
        let mut connection = self.options.connect().await.map_err(failed)?;
        let exists: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
                .bind(name)
                .fetch_one(&mut connection)
                .await
                .map_err(failed)?;
        if !exists {
            let statement = format!("CREATE DATABASE \"{}\"", name.replace('"', ""));
            // A database's name cannot be a parameter; the quotes above make it safe.
            connection.execute(sqlx::AssertSqlSafe(statement)).await.map_err(failed)?;
        }
        connection.close().await.map_err(failed)
    }

    /// Stops the server and waits until it has.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

/// Waits until the server answers; not if it lost its port to another program.
async fn answers(
    server: &mut Server,
    options: &PgConnectOptions,
    folder: &DataFolder,
) -> Result<bool, StartError> {
    loop {
        match options.connect().await {
            Ok(connection) => {
                let _ = connection.close().await;
                return Ok(true);
            }
            Err(error) if is_wrong_password(&error) => {
                let home = folder.home().display();
                let what = format!("the password in {home} is not that of the data beside it");
                return Err(StartError::other(what, error));
            }
            Err(_) => {}
        }
        if matches!(server.check_starting().await?, Starting::PortTaken) {
            return Ok(false);
        }
    }
}

/// SQLSTATE `invalid_password`.
fn is_wrong_password(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("28P01"))
}
