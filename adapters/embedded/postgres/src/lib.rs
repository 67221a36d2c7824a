//! A Postgres server as a child process, which stops when this process ends for any reason.

mod account;
mod binaries;
mod data_folder;
mod download;
mod predecessor;
mod search;
mod server;
mod settings;
pub mod testing;
#[cfg(test)]
mod tests;

pub use settings::{PostgresSettings, default_home};

use runtime::StartError;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, Connection, Executor};

use self::account::Account;
use self::binaries::Binaries;
use self::data_folder::DataFolder;
use self::download::Downloads;
use self::search::Search;
use self::server::{Server, Starting};
use self::settings::{ROLE, download_folder};

/// A running server. It stops when this is dropped, and when this process ends or is killed.
#[derive(Debug)]
pub struct EmbeddedPostgres {
    server: Server,
    // Holds the lock on the folder while the server runs.
    _folder: DataFolder,
    options: PgConnectOptions,
    password: String,
}

impl EmbeddedPostgres {
    /// Starts a server on a free port of the loopback address, with the data in the folder, and
    /// waits until it accepts connections. Creates the data at the first start.
    ///
    /// # Errors
    /// When no Postgres can be found or downloaded, or the folder cannot be used or is used by
    /// another process. The message has one line and says what to do.
    pub async fn start(settings: &PostgresSettings) -> Result<Self, StartError> {
        Self::start_with(settings, &Search::of_this_host(), &Downloads::in_cache(download_folder()))
            .await
    }

    async fn start_with(
        settings: &PostgresSettings,
        search: &Search,
        downloads: &Downloads,
    ) -> Result<Self, StartError> {
        if std::env::var_os("PGOPTIONS").is_some_and(|options| !options.is_empty()) {
            let reason = "it would change the sessions of the embedded Postgres; unset it";
            return Err(StartError::setting("PGOPTIONS", reason));
        }
        let account = Account::for_server()?;
        let folder = DataFolder::open(settings, &account)?;
        let binaries = Binaries::find_or_download(
            search,
            downloads,
            folder.home(),
            folder.created_by()?,
            &account,
        )
        .await?;
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
            if wait_until_ready(&mut server, &options, &folder).await? {
                return Ok(Self { server, _folder: folder, options, password });
            }
        }
    }

    /// The URL of a database of this server, in the format of `DATABASE_URL`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let Self { password, server, .. } = self;
        format!(
            "postgres://{ROLE}:{password}@127.0.0.1:{}/{database}?sslmode=disable",
            server.port()
        )
    }

    /// Creates a database if it does not exist. The name may have only letters, digits and
    /// underscores.
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
            // A database name cannot be a parameter. It is quoted, and quotes in it were removed.
            connection.execute(sqlx::AssertSqlSafe(statement)).await.map_err(failed)?;
        }
        connection.close().await.map_err(failed)
    }

    /// Waits until the server ends although nobody has stopped it. Returns the reason, with the file of
    /// its log.
    pub async fn ended(&mut self) -> StartError {
        self.server.ended().await
    }

    /// Stops the server and waits until it has stopped.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

/// Waits until the server accepts connections. Returns `false` if another program uses its port.
async fn wait_until_ready(
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
                let what = format!("the password in {home} does not belong to the data there");
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
