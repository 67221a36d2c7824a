use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, timeout_at};

use crate::connection::{Connection, no_answer};
use crate::failure::{Failure, Step};
use crate::settings::Server;

/// Maximum number of connections that send at the same time.
const MAX_CONNECTIONS: usize = 16;

/// The connections to the mail server: at most 16. Idle ones are kept for a while.
pub(crate) struct Connections {
    server: Server,
    permits: Semaphore,
    idle: Arc<Mutex<Idle>>,
}

#[derive(Default)]
struct Idle {
    connections: Vec<(Connection, Instant)>,
    /// Whether a task closes the connections that are idle for too long.
    checked: bool,
}

/// A connection in use. It is closed if it is dropped without [`Connections::put_back`].
pub(crate) struct Used<'a> {
    pub(crate) connection: Connection,
    /// Whether a letter was sent on it before.
    pub(crate) reused: bool,
    permit: SemaphorePermit<'a>,
}

impl Connections {
    pub(crate) fn new(server: Server) -> Self {
        Self { server, permits: Semaphore::new(MAX_CONNECTIONS), idle: Arc::default() }
    }

    /// An idle connection, or a new one if there is none.
    pub(crate) async fn take(&self, deadline: Instant) -> Result<Used<'_>, Failure> {
        let Ok(Ok(permit)) = timeout_at(deadline, self.permits.acquire()).await else {
            return Err(no_answer(Step::Connect, "all connections are in use"));
        };
        let idle = lock(&self.idle).connections.pop();
        match idle {
            Some((connection, _)) => Ok(Used { connection, reused: true, permit }),
            None => self.open(permit, deadline).await,
        }
    }

    /// A new connection in place of one that the server has closed.
    pub(crate) async fn renew<'a>(
        &'a self,
        stale: Used<'a>,
        deadline: Instant,
    ) -> Result<Used<'a>, Failure> {
        let Used { connection, permit, .. } = stale;
        drop(connection);
        self.open(permit, deadline).await
    }

    async fn open<'a>(
        &'a self,
        permit: SemaphorePermit<'a>,
        deadline: Instant,
    ) -> Result<Used<'a>, Failure> {
        let connection = Connection::open(&self.server, deadline).await?;
        Ok(Used { connection, reused: false, permit })
    }

    /// Keeps the connection for the next letter.
    pub(crate) fn put_back(&self, used: Used<'_>) {
        let mut idle = lock(&self.idle);
        idle.connections.push((used.connection, Instant::now()));
        if !std::mem::replace(&mut idle.checked, true) {
            tokio::spawn(close_idle(Arc::downgrade(&self.idle), self.server.timeouts.idle));
        }
    }

    /// Closes the idle connections.
    pub(crate) async fn close(&self) {
        let connections = std::mem::take(&mut lock(&self.idle).connections);
        for (connection, _) in connections {
            connection.quit().await;
        }
    }
}

/// Closes connections that are idle for too long, until there are none.
async fn close_idle(idle: Weak<Mutex<Idle>>, timeout: Duration) {
    loop {
        sleep(timeout / 4).await;
        let Some(idle) = idle.upgrade() else { return };
        let (expired, done) = {
            let mut idle = lock(&idle);
            let is_expired = |(_, since): &mut (Connection, Instant)| since.elapsed() > timeout;
            let expired: Vec<_> = idle.connections.extract_if(.., is_expired).collect();
            idle.checked = !idle.connections.is_empty();
            (expired, !idle.checked)
        };
        drop(idle);
        for (connection, _) in expired {
            connection.quit().await;
        }
        if done {
            return;
        }
    }
}

fn lock(idle: &Mutex<Idle>) -> MutexGuard<'_, Idle> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}
