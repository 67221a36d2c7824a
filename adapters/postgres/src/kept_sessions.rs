use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use tokio::time::{Instant, sleep};

use crate::PgError;

/// How long a session is used before the pool checks it again.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The sessions of a pool, for work that often follows at once on other work. Cheap to clone.
///
/// The pool checks a session before and after each use, which takes four round trips (see
/// [`timeouts`](crate::timeouts)). These checks find connections that were lost, and transactions that
/// cancelled work has left open. A session whose work has just succeeded has neither. So a session that
/// is [kept](KeptSession::keep) is used again without checks, and the pool checks it only once per
/// second.
///
/// Others wait at the pool for its sessions, and cannot get those that are kept. So a session is kept only
/// while the pool has another one to give.
#[derive(Debug, Clone)]
pub struct KeptSessions {
    pool: PgPool,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    kept: Vec<Checked>,
    /// Whether a task returns the sessions to the pool that are due for a check.
    returning: bool,
}

/// A session, with the time of its last check.
struct Checked {
    connection: PoolConnection<Postgres>,
    at: Instant,
}

/// A session in use. If it is dropped and not [kept](Self::keep), the pool checks it.
#[derive(Debug)]
pub struct KeptSession {
    session: Checked,
    sessions: KeptSessions,
}

impl KeptSessions {
    /// The sessions of this pool.
    #[must_use]
    pub fn of(pool: &PgPool) -> Self {
        Self { pool: pool.clone(), state: Arc::default() }
    }

    /// A session that was kept, or one that the pool has checked.
    ///
    /// # Errors
    /// When the pool has none in time.
    pub async fn acquire(&self) -> Result<KeptSession, PgError> {
        let session = match self.with(|state| state.kept.pop()) {
            Some(kept) if !kept.is_due() => kept,
            due => {
                // Returned before another one is taken, so that the pool does not open one more.
                if let Some(mut due) = due {
                    due.connection.return_to_pool().await;
                }
                Checked { connection: self.pool.acquire().await?, at: Instant::now() }
            }
        };
        Ok(KeptSession { session, sessions: self.clone() })
    }

    fn keep(&self, session: Checked) {
        let is_free = self.pool.size() < self.pool.options().get_max_connections();
        if !is_free && self.pool.num_idle() == 0 {
            return;
        }
        let spawn = self.with(|state| {
            state.kept.push(session);
            !std::mem::replace(&mut state.returning, true)
        });
        if spawn {
            let sessions = self.clone();
            tokio::spawn(async move {
                while sessions.return_due() {
                    tokio::select! {
                        () = sleep(CHECK_INTERVAL) => {}
                        () = sessions.pool.close_event() => {}
                    }
                }
            });
        }
    }

    /// Returns the sessions that are due for a check to the pool, or all if it is closed. Returns whether
    /// any are left.
    fn return_due(&self) -> bool {
        let is_due = |session: &mut Checked| session.is_due() || self.pool.is_closed();
        self.with(|state| {
            state.kept.extract_if(.., is_due).for_each(drop);
            state.returning = !state.kept.is_empty();
            state.returning
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl KeptSession {
    /// Keeps the session for the next work, if others do not need it.
    ///
    /// Its last statement MUST have ended, and no transaction may be open on it.
    pub fn keep(self) {
        self.sessions.keep(self.session);
    }
}

impl Deref for KeptSession {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.session.connection
    }
}

impl DerefMut for KeptSession {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.session.connection
    }
}

impl Checked {
    fn is_due(&self) -> bool {
        self.at.elapsed() >= CHECK_INTERVAL
    }
}

impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checked").field("at", &self.at).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use embedded_postgres::testing::fresh_database;
    use sqlx::Executor;
    use tokio::time::timeout;

    use super::*;
    use crate::timeouts::sessions;

    /// The sessions of a pool of this size.
    async fn sessions_of(max_connections: u32) -> (KeptSessions, PgPool) {
        let database = fresh_database().await.unwrap();
        let pool = sessions(max_connections, "", None).connect(database.url()).await.unwrap();
        (KeptSessions::of(&pool), pool)
    }

    async fn process(session: &mut PgConnection) -> i32 {
        sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(session).await.unwrap()
    }

    #[tokio::test]
    async fn a_kept_session_is_used_again_without_checks() {
        let (kept, _pool) = sessions_of(2).await;
        let mut session = kept.acquire().await.unwrap();
        let (first, checked_at) = (process(&mut session).await, session.session.at);
        session.keep();
        let mut session = kept.acquire().await.unwrap();
        assert_eq!((process(&mut session).await, session.session.at), (first, checked_at));
    }

    #[tokio::test]
    async fn a_session_that_was_dropped_with_an_open_transaction_is_closed() {
        let (kept, _pool) = sessions_of(1).await;
        let mut session = kept.acquire().await.unwrap();
        session.execute("BEGIN; CREATE TABLE stray ()").await.unwrap();
        drop(session);
        let mut session = kept.acquire().await.unwrap();
        let stray = sqlx::query_scalar("SELECT to_regclass('stray') IS NULL");
        let ended: bool = stray.fetch_one(&mut *session).await.unwrap();
        assert!(ended);
    }

    #[tokio::test]
    async fn others_get_a_kept_session_that_is_not_used() {
        let (kept, pool) = sessions_of(2).await;
        let first = kept.acquire().await.unwrap();
        first.keep();
        let _both = [pool.acquire().await.unwrap(), pool.acquire().await.unwrap()];
    }

    #[tokio::test]
    async fn the_last_session_is_not_kept() {
        let (kept, pool) = sessions_of(1).await;
        for _ in 0..10 {
            kept.acquire().await.unwrap().keep();
            timeout(CHECK_INTERVAL / 2, pool.acquire()).await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn a_session_that_is_always_in_use_is_checked_too() {
        let (kept, pool) = sessions_of(2).await;
        let session = kept.acquire().await.unwrap();
        let first = session.session.at;
        session.keep();
        let checks = async {
            loop {
                let mut session = kept.acquire().await.unwrap();
                if session.session.at > first {
                    return;
                }
                process(&mut session).await;
                session.keep();
            }
        };
        timeout(Duration::from_secs(10), checks).await.unwrap();
        assert_eq!(pool.size(), 1, "the check needs no other session");
    }

    #[tokio::test]
    async fn closing_the_pool_does_not_wait_for_kept_sessions() {
        let (kept, pool) = sessions_of(2).await;
        kept.acquire().await.unwrap().keep();
        timeout(CHECK_INTERVAL / 2, pool.close()).await.unwrap();
    }
}
