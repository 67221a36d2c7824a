use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use application::StoreError;
use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;

use application::one_line;

/// An error of Postgres or of the connection to it. It stays inside the adapters: ports return
/// [`StoreError`].
///
/// Its `Display` and `Debug` never quote data, because they appear in logs and in dead letters and the
/// data may be personal. For the same reason, the error of sqlx is not its `source`.
pub struct PgError(sqlx::Error);

impl From<sqlx::Error> for PgError {
    fn from(error: sqlx::Error) -> Self {
        Self(error)
    }
}

impl Error for PgError {}

impl fmt::Display for PgError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Postgres failed: ")?;
        match &self.0 {
            sqlx::Error::Database(error) => describe(error.as_ref(), f),
            sqlx::Error::ColumnDecode { index, .. } => {
                write!(f, "column {index} has a value that this program cannot decode")
            }
            sqlx::Error::Decode(_) => {
                f.write_str("the server sent a value that this program cannot decode")
            }
            sqlx::Error::Encode(_) => f.write_str("a value cannot be encoded"),
            error => f.write_str(&one_line(error)),
        }
    }
}

impl fmt::Debug for PgError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Writes the error of the server. The detail is left out because it quotes rows. So is a message
/// that may quote a value.
fn describe(error: &dyn DatabaseError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let code = error.code().unwrap_or_default();
    if is_free_of_data(&code) {
        return write!(f, "{} (SQLSTATE {code})", error.message());
    }
    write!(f, "SQLSTATE {code}")?;
    let names = error.try_downcast_ref::<PgDatabaseError>().map(|error| {
        [("table", error.table()), ("column", error.column()), ("constraint", error.constraint())]
    });
    for (what, name) in names.into_iter().flatten() {
        if let Some(name) = name {
            write!(f, ", {what} {name}")?;
        }
    }
    f.write_str("; the message can contain personal data, so it is only in the log of Postgres")
}

/// Whether messages with this SQLSTATE contain only names and numbers.
///
/// Errors about a value (class 22) quote the value, except 22021 (an invalid byte). Errors that a
/// function raises (P0, and custom codes) may contain anything.
fn is_free_of_data(code: &str) -> bool {
    const CLASSES: [&str; 15] =
        ["08", "0A", "23", "25", "26", "28", "3D", "3F", "40", "42", "53", "54", "55", "57", "58"];
    code == "22021" || CLASSES.iter().any(|class| code.starts_with(class))
}

impl PgError {
    /// The SQLSTATE, if the server has reported the error.
    #[must_use]
    pub fn sqlstate(&self) -> Option<Cow<'_, str>> {
        self.0.as_database_error()?.code()
    }

    /// Whether a retry of the same request may succeed.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        is_passing(&self.0)
    }
}

impl From<PgError> for sqlx::Error {
    fn from(error: PgError) -> Self {
        error.0
    }
}

/// Whether a retry of the same request may succeed.
pub(crate) fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| is_passing_code(&code))
                && !is_refused_by_pooler(error.message())
        }
        _ => false,
    }
}

/// Whether this is the message of PgBouncer about a parameter of the URL that it does not accept. Its
/// SQLSTATE is that of a lost connection.
fn is_refused_by_pooler(message: &str) -> bool {
    message.starts_with("unsupported startup parameter")
}

/// Whether the data caused the error, so that other data can still be stored.
fn is_of_content(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Encode(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| is_content_code(&code)),
        _ => false,
    }
}

/// Whether this SQLSTATE means invalid data (22), a violated constraint (23) or an exceeded limit
/// (54).
fn is_content_code(code: &str) -> bool {
    ["22", "23", "54"].iter().any(|class| code.starts_with(class))
}

/// Whether this SQLSTATE (Postgres manual, appendix A) means a temporary error: a lost connection
/// (08), a transaction that was rolled back (40), too few resources (53), a lock that is not available
/// (55P03), a cancelled statement or a shutdown (57), a server that became read-only in a failover
/// (25006), an idle transaction that was ended (25P03), an error outside the database (58), or an
/// outbox that an operator must adopt first (OR002, a custom code).
fn is_passing_code(code: &str) -> bool {
    matches!(code, "55P03" | "25006" | "25P03" | "OR002")
        || ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class))
}

impl From<PgError> for StoreError {
    fn from(error: PgError) -> Self {
        if error.is_passing() {
            Self::Unavailable(Box::new(error))
        } else if is_of_content(&error.0) {
            Self::Refused(Box::new(error))
        } else {
            Self::Broken(Box::new(error))
        }
    }
}

#[cfg(test)]
mod tests {
    use sqlx::PgPool;
    use sqlx::types::Json;

    use super::*;
    use embedded_postgres::testing::fresh_database;

    #[tokio::test]
    async fn no_error_quotes_data() {
        let database = fresh_database().await.unwrap();
        let pool = PgPool::connect(database.url()).await.unwrap();
        let table = "CREATE TABLE people (name text UNIQUE CONSTRAINT no_zoe CHECK (name <> 'Zoë'),
                                          born date);
                     INSERT INTO people VALUES ('Ada Zoë')";
        sqlx::raw_sql(table).execute(&pool).await.unwrap();
        for (statement, expected) in [
            ("INSERT INTO people VALUES ('Zoë')", "constraint \"no_zoe\" (SQLSTATE 23514)"),
            ("INSERT INTO people VALUES ('Ada Zoë')", "unique constraint"),
            ("INSERT INTO people (born) VALUES ('Zoë')", "SQLSTATE 22007;"),
            ("SELECT 'Zoë'::integer", "SQLSTATE 22P02;"),
            ("SELECT '[Zoë'::jsonb", "SQLSTATE 22P02;"),
            ("SELECT 1 / (length('Zoë') - 3)", "SQLSTATE 22012;"),
            ("DO $$ BEGIN RAISE 'no Zoë'; END $$", "SQLSTATE P0001;"),
            ("DO $$ BEGIN RAISE 'no Zoë' USING TABLE = 'people'; END $$", "P0001, table people;"),
            ("SELECT name FROM nowhere", "relation \"nowhere\" does not exist"),
        ] {
            let error = sqlx::raw_sql(statement).execute(&pool).await.unwrap_err();
            is_described_without_data(error, expected);
        }
        let number = sqlx::query_scalar::<_, Json<u64>>("SELECT '\"Zoë\"'::jsonb");
        is_described_without_data(number.fetch_one(&pool).await.unwrap_err(), "column 0 has");
    }

    fn is_described_without_data(error: sqlx::Error, expected: &str) {
        let error = StoreError::from(PgError::from(error));
        let text = one_line(&error);
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains("Zo") && !format!("{error:?}").contains("Zo"), "{text}");
    }

    #[test]
    fn temporary_errors_are_recognized() {
        for code in ["08006", "40001", "40P01", "53300", "57P01", "25006", "58000", "OR002"] {
            assert!(is_passing_code(code), "{code}");
        }
        for code in ["23505", "22021", "42P01", "25P02"] {
            assert!(!is_passing_code(code), "{code}");
        }
    }

    #[test]
    fn errors_caused_by_the_data_are_recognized() {
        for code in ["22021", "22P05", "23505", "23514", "54000"] {
            assert!(is_content_code(code), "{code}");
        }
        // A wrong password, a missing database, a missing permission, a failed transaction, a missing
        // table, a damaged index.
        for code in ["28P01", "3D000", "42501", "25P02", "42P01", "XX002"] {
            assert!(!is_content_code(code), "{code}");
        }
    }
}
