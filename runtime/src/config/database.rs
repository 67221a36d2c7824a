use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Secret, secret};
use crate::StartError;

/// The default URL of Postgres.
const DATABASE_URL: &str = "postgres://orders:orders@localhost:5432/orders";

/// Settings of the connection to Postgres.
#[derive(Debug, Clone, Args)]
pub struct DatabaseArgs {
    /// The URL of Postgres: postgres://user:password@host:port/database. If it is not set:
    /// `postgres://orders:orders@localhost:5432/orders`
    ///
    /// With ?sslmode=verify-full&sslrootcert=FILE the connection is encrypted, and the certificate
    /// of the server must be signed by that authority, or by one that the system trusts.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<Secret>,

    /// A file that contains the URL of Postgres
    #[arg(long, env = "DATABASE_URL_FILE", value_name = "FILE")]
    pub database_url_file: Option<PathBuf>,

    /// Maximum number of connections of this program
    #[arg(long, env = "DATABASE_MAX_CONNECTIONS", default_value_t = 10, value_name = "N",
          value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub database_max_connections: u32,

    /// Whether to run pending migrations at the start. With `off`, the program waits until the command
    /// `migrate` has run them, and its role needs no right to change tables
    #[arg(long, env = "MIGRATE", default_value = "on", value_name = "WHEN")]
    pub migrate: Migrate,
}

/// Whether a program runs pending migrations when it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Migrate {
    /// It runs them.
    On,
    /// It waits until somebody else has run them.
    Off,
}

impl DatabaseArgs {
    /// Settings for the Postgres at this URL, with at most `max_connections` connections.
    #[must_use]
    pub fn at(url: impl Into<Secret>, max_connections: u32) -> Self {
        Self {
            database_url: Some(url.into()),
            database_url_file: None,
            database_max_connections: max_connections,
            migrate: Migrate::On,
        }
    }

    /// The URL, from the setting or from its file, and the environment variable that it comes from.
    ///
    /// # Errors
    /// When both are set, or the file cannot be read.
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
