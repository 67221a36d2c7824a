//! Timeouts for all work with Postgres. They limit every wait for the server, and every wait of the
//! server for this program.
//!
//! A server that is down refuses connections, and a slow one cancels a statement after
//! `statement_timeout`. But if the host is gone or a firewall drops the packets, no answer and no
//! error arrives. A client that waits for an answer sends nothing that could fail, and sqlx does not
//! enable TCP keepalives (sqlx issue 3540). Without the timeouts here, it would wait forever.

use std::future::Future;
use std::io;
use std::sync::{Arc, Once};
use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool, Row};
use tokio::time::timeout;

use super::PgError;

/// How long a transaction with a few statements may take.
pub const WORK: Duration = Duration::from_secs(30);

/// How long to wait for a connection.
const ACQUIRE: Duration = Duration::from_secs(3);

/// How long a connection may take to answer a check that it is alive.
pub const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

/// How long closing the connections may take.
const CLOSE: Duration = Duration::from_secs(5);

/// Whether commits of this program wait for a synchronous standby.
///
/// They must not be cancelled: the transaction would become visible although no standby has it, and its
/// event would be published.
const WAITS_FOR_STANDBY: &str = "
    SELECT EXISTS (SELECT FROM pg_stat_activity
                   WHERE usename = current_user AND datname = current_database()
                     AND application_name = current_setting('application_name')
                     AND wait_event = 'SyncRep')";

/// How long the probe uses a connection. After a failover it must reach the new server.
const PROBE_LIFETIME: Duration = Duration::from_secs(5);

/// Logs only once that commits would not have been durable.
static COMMIT_WARNING: Once = Once::new();

/// Settings for each session.
///
/// A statement must not block a request for long. If a program was stopped or its host is gone, its
/// locks must end before the others stop waiting for them.
///
/// JIT compilation is off, because all statements are short. On an outbox with 90 days, compiling the
/// claims took 20 times as long as executing them.
const SESSION: &str = "SET statement_timeout = '10s';
SET jit = off;
SET idle_in_transaction_session_timeout = '30s';
SET tcp_keepalives_idle = 10;
SET tcp_keepalives_interval = 5;
SET tcp_keepalives_count = 3";

/// A session to look at the server while the sessions of the pool are in use.
pub(super) fn probe() -> PgPoolOptions {
    sessions(1, "", None).max_lifetime(PROBE_LIFETIME)
}

/// A pool of at most `max_connections` sessions, each of which also executes `setup`.
///
/// Each connection is checked before and after it is used, also if the work on it was cancelled (but
/// see [`KeptSessions`](crate::KeptSessions)). A
/// connection that does not answer is closed; sqlx alone would wait for it forever.
///
/// A session whose commit waits for a synchronous standby keeps its place in the pool, also if the
/// request was given up. Otherwise each request would leave a session at the server, until other
/// programs cannot connect any more.
///
/// `min_connections` is not set: sqlx waits up to five minutes for such a connection, which counts
/// towards the maximum meanwhile.
pub(super) fn sessions(max_connections: u32, setup: &str, probe: Option<PgPool>) -> PgPoolOptions {
    let setup: Arc<str> = format!("{SESSION};\n{setup}").into();
    PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(ACQUIRE)
        // A longer wait ends with an error, so sqlx does not have to log slow waits.
        .acquire_slow_threshold(ACQUIRE)
        // Sessions stay open for the next burst of requests.
        .idle_timeout(None)
        .after_connect(move |connection, _| {
            let setup = Arc::clone(&setup);
            Box::pin(async move {
                connection.execute(AssertSqlSafe(setup.as_ref())).await?;
                commit_durably(connection).await
            })
        })
        .test_before_acquire(false)
        .before_acquire(|connection, _| Box::pin(is_alive(connection)))
        .after_release(move |connection, _| {
            let probe = probe.clone();
            Box::pin(async move {
                let is_clean = is_clean(connection).await;
                if is_clean.is_err()
                    && let Some(probe) = probe
                {
                    hold_while_commits_wait(connection, &probe).await;
                }
                is_clean
            })
        })
}

/// Makes commits of this session wait for the disk, and for synchronous standbys if there are any.
///
/// This overrides `synchronous_commit` of the role, the database, the server and the URL if it is
/// `off` or `local`: an order could otherwise be lost after the client got its answer, or after its
/// event was published. `remote_write` and `remote_apply` stay: they only select what a standby must
/// have done.
async fn commit_durably(session: &mut PgConnection) -> Result<(), sqlx::Error> {
    let commits = "SELECT current_setting('synchronous_commit')";
    let commits: String = session.fetch_one(commits).await?.try_get(0)?;
    if matches!(commits.as_str(), "off" | "local") {
        session.execute("SET synchronous_commit = on").await?;
        COMMIT_WARNING.call_once(|| {
            tracing::warn!(
                "Postgres has synchronous_commit={commits}, which can lose committed data; the \
                 sessions of this program use synchronous_commit=on"
            );
        });
    }
    Ok(())
}

/// Whether the connection answers. It returns no error, so that closing a dead connection is not
/// logged.
async fn is_alive(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    Ok(matches!(timeout(SIGN_OF_LIFE, connection.ping()).await, Ok(Ok(()))))
}

/// Whether no transaction is open on the connection. If one is, the connection is closed.
///
/// If a future is dropped while it begins a transaction, sqlx does not know about the transaction
/// (sqlx issue 4393). The next user of the connection would work in it, and its changes would be lost.
/// A transaction is open if it began before this statement. (A `ROLLBACK` would end it, but Postgres
/// counts each one in `pg_stat_database`, even without a transaction, and operators watch that
/// counter.)
async fn is_clean(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let began_now = connection.fetch_one("SELECT transaction_timestamp() = statement_timestamp()");
    match timeout(SIGN_OF_LIFE, began_now).await {
        Ok(Ok(row)) => row.try_get(0),
        Ok(Err(_)) => Ok(false),
        // After an error, sqlx closes the connection without waiting for the server.
        Err(_) => Err(no_answer()),
    }
}

/// Waits until the session answers or ends, or the server that `probe` reaches has no commit of this
/// program that waits for a standby.
async fn hold_while_commits_wait(connection: &mut PgConnection, probe: &PgPool) {
    loop {
        let waits = sqlx::query_scalar(WAITS_FOR_STANDBY).fetch_one(probe);
        if !matches!(timeout(ACQUIRE, waits).await, Ok(Ok(true))) {
            return;
        }
        if timeout(SIGN_OF_LIFE, connection.ping()).await.is_ok() {
            return;
        }
    }
}

/// Waits up to 5 s for the work in progress, then closes all connections.
pub async fn close(pool: &PgPool) {
    if timeout(CLOSE, pool.close()).await.is_err() {
        tracing::warn!(
            "connections to Postgres are still in use 5 s after the shutdown; the program ends \
             without closing them"
        );
    }
}

/// Cancels work that takes longer than [`WORK`]. It is then unknown whether the work was committed, as
/// with any lost connection.
///
/// # Errors
/// Those of the work, or a timeout.
pub async fn in_time<T, E: From<PgError>>(
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    within(WORK, work).await
}

/// Cancels work that takes longer than `limit`.
///
/// # Errors
/// Those of the work, or a timeout.
pub async fn within<T, E: From<PgError>>(
    limit: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    // Boxed so that callers' futures stay small.
    timeout(limit, Box::pin(work)).await.unwrap_or_else(|_| Err(PgError::from(no_answer()).into()))
}

fn no_answer() -> sqlx::Error {
    io::Error::new(io::ErrorKind::TimedOut, "no answer in time").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_postgres::testing::fresh_database;

    #[tokio::test]
    async fn a_transaction_that_was_left_open_ends_before_the_session_is_used_again() {
        let database = fresh_database().await.unwrap();
        let pool = sessions(1, "", None).connect(database.url()).await.unwrap();
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
    async fn a_session_without_an_open_transaction_is_used_again() {
        let database = fresh_database().await.unwrap();
        let pool = sessions(1, "", None).connect(database.url()).await.unwrap();
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
        let pool = sessions(1, "", None).connect(url).await.unwrap();
        sqlx::query_scalar("SHOW synchronous_commit").fetch_one(&pool).await.unwrap()
    }

    #[tokio::test]
    async fn commits_are_durable_whatever_the_url_sets() {
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
    async fn commits_are_durable_whatever_the_database_and_the_role_set() {
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
    async fn work_that_does_not_end_is_cancelled_and_counts_as_an_outage() {
        let cancelled: Result<(), PgError> =
            within(Duration::from_millis(1), std::future::pending()).await;
        let error = application::StoreError::from(cancelled.unwrap_err());
        assert!(error.is_unavailable(), "{error:?}");
    }
}
