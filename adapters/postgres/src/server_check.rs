//! Checks whether a server can be used at all, before the tables are looked at.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection, Row};

use super::PgError;
use super::timeouts::within;

/// How long the check may take.
const LIMIT: Duration = Duration::from_secs(3);

/// Why a server cannot be used. Waiting does not help.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnusableServer {
    /// The database cannot store every character.
    #[error(
        "the encoding of the database is {0}, which cannot store every name; use a database with \
         ENCODING 'UTF8'"
    )]
    Encoding(String),
    /// A pooler gives each transaction another session.
    #[error(
        "a connection pooler gives each transaction another session of Postgres; set pool_mode = \
         session for this database, or connect to Postgres directly"
    )]
    TransactionPooling,
}

/// Checks the server behind these options. `None` if it can be used.
pub(super) async fn check(options: &PgConnectOptions) -> Result<Option<UnusableServer>, PgError> {
    let mut session = within(LIMIT, connect(options)).await?;
    let encoding = "SELECT current_setting('server_encoding')";
    let encoding: String =
        sqlx::raw_sql(encoding).fetch_one(&mut session).await.and_then(|row| row.try_get(0))?;
    if encoding != "UTF8" {
        return Ok(Some(UnusableServer::Encoding(encoding)));
    }
    // A pooler in session mode may have no session left for a second connection; it lets it wait.
    let pooled = within(LIMIT, shares_its_session(&mut session, options)).await.unwrap_or(false);
    let _ = session.close().await;
    Ok(pooled.then_some(UnusableServer::TransactionPooling))
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, PgError> {
    Ok(options.connect().await?)
}

/// Whether a transaction of another connection gets the session of this one. So the settings of the
/// session would be lost.
async fn shares_its_session(
    session: &mut PgConnection,
    options: &PgConnectOptions,
) -> Result<bool, PgError> {
    let mut other = connect(options).await?;
    // A pooler in transaction mode gives the session that was used last to the transaction.
    let own = backend(session).await?;
    sqlx::raw_sql("BEGIN").execute(&mut other).await?;
    let used = backend(&mut other).await?;
    let _ = other.close().await;
    Ok(own == used)
}

async fn backend(connection: &mut PgConnection) -> Result<i32, PgError> {
    let row = sqlx::raw_sql("SELECT pg_backend_pid()").fetch_one(connection).await?;
    Ok(row.try_get(0)?)
}

#[cfg(test)]
mod tests {
    use embedded_postgres::testing::fresh_database;

    use super::*;

    #[tokio::test]
    async fn a_database_that_is_not_in_utf_8_is_refused_by_name() {
        let fresh = fresh_database().await.unwrap();
        let other = "CREATE DATABASE windows TEMPLATE template0 ENCODING 'WIN1252' LOCALE 'C'";
        fresh.execute(other).await.unwrap();
        let utf8: PgConnectOptions = fresh.url().parse().unwrap();
        let found = check(&utf8.clone().database("windows")).await.unwrap();
        assert!(found.unwrap().to_string().contains("encoding of the database is WIN1252"));
        assert!(check(&utf8).await.unwrap().is_none());
    }
}
