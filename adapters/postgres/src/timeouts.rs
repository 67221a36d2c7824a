//! How long Postgres is waited for: every wait has an end, and so has the wait of its server for us.
//!
//! A server that is down refuses, and one that is slow runs into its own `statement_timeout`. One whose
//! host vanished, or that a firewall has forgotten, says nothing at all. Who waits for its answer sends
//! nothing that could fail, and sqlx does not ask for keepalives (its issue 3540), so without an end
//! of our own that wait would have none.

use std::future::Future;
use std::io;
use std::sync::{Arc, Once};
use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool, Row};
use tokio::time::timeout;

use super::PgError;

/// How long a piece of work may take: a transaction, with the few statements it has.
pub const WORK: Duration = Duration::from_secs(30);

/// How long a connection is waited for.
const ACQUIRE: Duration = Duration::from_secs(3);

/// How long a connection may take to say that it is alive.
pub const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

/// How long closing connections may take.
const FAREWELL: Duration = Duration::from_secs(5);

/// Whether the log says that commits would not have been durable. Once is enough.
static TOLD_OF_COMMITS: Once = Once::new();

/// What each session is told. A statement must not hold a request for long, and a program that was
/// stopped, or whose host vanished, must not hold its locks for longer than the others wait.
const SESSION: &str = "SET statement_timeout = '10s';
SET idle_in_transaction_session_timeout = '30s';
SET tcp_keepalives_idle = 10;
SET tcp_keepalives_interval = 5;
SET tcp_keepalives_count = 3";

/// A pool of up to so many sessions, each of which is told this as well.
///
/// A connection that has fallen silent is found out before it is used and after, also when what it
/// was used for was given up: sqlx alone would wait for it to become usable again, for good. (No
/// connections are kept in reserve: sqlx gives those five minutes to come about, and their places
/// are taken meanwhile.)
pub(super) fn sessions(most: u32, told: &str) -> PgPoolOptions {
    let told: Arc<str> = format!("{SESSION};\n{told}").into();
    PgPoolOptions::new()
        .max_connections(most)
        .acquire_timeout(ACQUIRE)
        // Who waits longer is told so; that a short wait was long is not worth a line.
        .acquire_slow_threshold(ACQUIRE)
        .after_connect(move |connection, _| {
            let told = Arc::clone(&told);
            Box::pin(async move {
                connection.execute(AssertSqlSafe(told.as_ref())).await?;
                commit_durably(connection).await
            })
        })
        .test_before_acquire(false)
        .before_acquire(|connection, _| Box::pin(is_alive(connection)))
        .after_release(|connection, _| Box::pin(is_clean(connection)))
}

/// Makes commits of this session wait for the disk, and for synchronous standbys if there are any,
/// whatever the role, the database, the server or the URL says. An order whose commit did not wait
/// can be lost after it was answered, or after its event was published. `remote_write` and
/// `remote_apply` are left alone: they choose what a standby must have done.
async fn commit_durably(session: &mut PgConnection) -> Result<(), sqlx::Error> {
    let commits = "SELECT current_setting('synchronous_commit')";
    let commits: String = session.fetch_one(commits).await?.try_get(0)?;
    if matches!(commits.as_str(), "off" | "local") {
        session.execute("SET synchronous_commit = on").await?;
        TOLD_OF_COMMITS.call_once(|| {
            tracing::warn!(
                "Postgres is set to synchronous_commit={commits}, which can lose what was committed; \
                 this program's sessions use on instead"
            );
        });
    }
    Ok(())
}

/// A connection that is not alive is closed; that is no event to tell of.
async fn is_alive(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    Ok(matches!(timeout(SIGN_OF_LIFE, connection.ping()).await, Ok(Ok(()))))
}

/// Who gives work up while it begins leaves a transaction of which sqlx does not know (its issue
/// 4393). The next one would work in it, and nothing of that would be kept. So a connection in which a
/// transaction began before this statement is closed. (A `ROLLBACK` would do, but Postgres counts it
/// even where there is no transaction, and people watch that figure.)
async fn is_clean(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let began_now = connection.fetch_one("SELECT transaction_timestamp() = statement_timestamp()");
    match timeout(SIGN_OF_LIFE, began_now).await {
        Ok(Ok(row)) => row.try_get(0),
        Ok(Err(_)) => Ok(false),
        // Closing it in good manners could take for ever as well.
        Err(_) => Err(silence()),
    }
}

/// Closes all connections, after the work they are doing, for which it waits 5 s.
pub async fn close(pool: &PgPool) {
    if timeout(FAREWELL, pool.close()).await.is_err() {
        tracing::warn!("connections to Postgres are still at work; they are left to themselves");
    }
}

/// Gives work up that takes longer than [`WORK`]. Whether it was done is not known then, as with any
/// connection that is lost.
///
/// # Errors
/// Those of the work, and that it took too long.
pub async fn in_time<T, E: From<PgError>>(
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    within(WORK, work).await
}

/// Gives work up that takes longer than this.
///
/// # Errors
/// Those of the work, and that it took too long.
pub async fn within<T, E: From<PgError>>(
    limit: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    // On the heap, lest the futures of those who call this grow with every layer.
    timeout(limit, Box::pin(work)).await.unwrap_or_else(|_| Err(PgError::from(silence()).into()))
}

fn silence() -> sqlx::Error {
    io::Error::new(io::ErrorKind::TimedOut, "it does not answer").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_postgres::testing::fresh_database;

    #[tokio::test]
    async fn a_transaction_that_was_left_open_ends_before_the_session_is_used_again() {
        let database = fresh_database().await.unwrap();
        let pool = sessions(1, "").connect(database.url()).await.unwrap();
        let mut session = pool.acquire().await.unwrap();
        session.execute("BEGIN; CREATE TABLE stray ()").await.unwrap();
        drop(session);
        let ended: bool = sqlx::query_scalar("SELECT to_regclass('stray') IS NULL")
            .fetch_one(&pool)
            .await
            .unwrap();
        assert!(ended);
    }

    #[tokio::test]
    async fn a_session_that_is_clean_is_used_again() {
        let database = fresh_database().await.unwrap();
        let pool = sessions(1, "").connect(database.url()).await.unwrap();
        let session = "SELECT pg_backend_pid()";
        let first: i32 = sqlx::query_scalar(session).fetch_one(&pool).await.unwrap();
        let mut transaction = pool.begin().await.unwrap();
        transaction.execute("CREATE TABLE kept ()").await.unwrap();
        transaction.commit().await.unwrap();
        drop(pool.begin().await.unwrap());
        let last: i32 = sqlx::query_scalar(session).fetch_one(&pool).await.unwrap();
        assert_eq!(first, last);
    }

    async fn synchronous_commit(url: &str) -> String {
        let pool = sessions(1, "").connect(url).await.unwrap();
        sqlx::query_scalar("SHOW synchronous_commit").fetch_one(&pool).await.unwrap()
    }

    #[tokio::test]
    async fn commits_are_durable_whatever_the_url_says() {
        let database = fresh_database().await.unwrap();
        for (given, used) in [
            ("off", "on"),
            ("local", "on"),
            ("on", "on"),
            ("remote_write", "remote_write"),
            ("remote_apply", "remote_apply"),
        ] {
            let options = format!("&options=-c%20synchronous_commit={given}");
            let commits = synchronous_commit(&format!("{}{options}", database.url())).await;
            assert_eq!(commits, used, "{given}");
        }
    }

    #[tokio::test]
    async fn commits_are_durable_whatever_the_database_and_the_role_say() {
        let database = fresh_database().await.unwrap();
        let sets = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off',
                                               current_database()); END $$";
        database.execute(sets).await.unwrap();
        assert_eq!(synchronous_commit(database.url()).await, "on");
        let sets = "DO $$ BEGIN EXECUTE format('ALTER ROLE %I IN DATABASE %I SET synchronous_commit = local',
                                               current_user, current_database()); END $$";
        database.execute(sets).await.unwrap();
        assert_eq!(synchronous_commit(database.url()).await, "on");
    }

    #[tokio::test]
    async fn work_that_does_not_end_is_given_up_as_an_outage() {
        let given_up: Result<(), PgError> =
            within(Duration::from_millis(1), std::future::pending()).await;
        let told = application::StoreError::from(given_up.unwrap_err());
        assert!(told.is_unavailable(), "{told:?}");
    }
}
