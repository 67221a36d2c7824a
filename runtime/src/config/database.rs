use std::path::PathBuf;

use clap::Args;

use super::{Secret, secret};
use crate::StartError;

/// Where Postgres is when nobody says.
const DATABASE_URL: &str = "postgres://orders:orders@localhost:5432/orders";

/// Where Postgres is.
#[derive(Debug, Clone, Args)]
pub struct DatabaseArgs {
    /// The Postgres to use: postgres://user:password@host:port/database; if there is none,
    /// `postgres://orders:orders@localhost:5432/orders`
    ///
    /// With ?sslmode=verify-full&sslrootcert=FILE the connection is encrypted, and the server must
    /// show a certificate of that authority, or of one that the system trusts.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<Secret>,

    /// A file that holds that URL
    #[arg(long, env = "DATABASE_URL_FILE", value_name = "FILE")]
    pub database_url_file: Option<PathBuf>,

    /// Connections this program may hold at the most
    #[arg(long, env = "DATABASE_MAX_CONNECTIONS", default_value_t = 10, value_name = "N",
          value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub database_max_connections: u32,
}

impl DatabaseArgs {
    /// The Postgres at this URL, through at most so many connections.
    #[must_use]
    pub fn at(url: impl Into<Secret>, max_connections: u32) -> Self {
        Self {
            database_url: Some(url.into()),
            database_url_file: None,
            database_max_connections: max_connections,
        }
    }

    /// The URL, wherever it is given, and the variable that gives it.
    ///
    /// # Errors
    /// When it is given twice, or its file cannot be read.
    pub fn url(&self) -> Result<(&'static str, Secret), StartError> {
        let (variable, file_variable) = ("DATABASE_URL", "DATABASE_URL_FILE");
        let given = secret(
            (variable, self.database_url.as_ref()),
            (file_variable, self.database_url_file.as_deref()),
        )?;
        let direct = self.database_url.as_ref().is_some_and(Secret::is_given);
        Ok(match given {
            Some(url) if direct => (variable, url),
            Some(url) => (file_variable, url),
            None => (variable, DATABASE_URL.into()),
        })
    }
}
