//! Wakes the workers of relays when new events were stored. This only reduces the delay: a relay
//! that misses a wakeup finds the events when it polls.

use std::sync::Arc;
use std::time::Duration;

use application::one_line;
use sqlx::postgres::PgListener;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time;

use adapter_postgres::timeouts::{SIGN_OF_LIFE, in_time, within};
use adapter_postgres::{Database, KeptSessions, PgError};

/// Minimum time between two notifications of one program. A relay does not wake more often anyway.
const NOTIFY_INTERVAL: Duration = Duration::from_millis(25);

/// Minimum time between two wakeups for received notifications.
///
/// Events that are stored within this time are published together. A search of the outbox for each
/// event would overload a database with several relays.
const WAKE_INTERVAL: Duration = Duration::from_millis(30);

/// The first wait after a wakeup; it doubles with each wait that ends without a wakeup.
const FIRST_RECHECK: Duration = Duration::from_millis(50);

/// The delay before listening again after the connection was lost.
const RECONNECT: Duration = Duration::from_secs(1);

/// The connection is tested after this time without a notification.
const TEST_CONNECTION_AFTER: Duration = Duration::from_secs(10);

/// Notifies relays that events were stored.
///
/// It sends `NOTIFY` after the transaction of the aggregate, never in it: `NOTIFY` makes its
/// transaction take a server-wide lock when it commits. At most one notification is sent per 25 ms,
/// however many aggregates are saved. A notification that cannot be sent is dropped.
#[derive(Debug, Clone)]
pub struct WakeupSender(mpsc::Sender<()>);

impl WakeupSender {
    /// Spawns the sending task on the current runtime. The task ends when the last clone is
    /// dropped.
    #[must_use]
    pub fn spawn(database: &Database) -> Self {
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(send_notifications(KeptSessions::of(database.pool()), receiver));
        Self(sender)
    }

    /// Requests a notification, without waiting for it.
    pub fn send(&self) {
        // If the channel is full, a notification will be sent anyway.
        let _ = self.0.try_send(());
    }
}

/// Notifies the channel of the session's schema.
async fn send_notifications(sessions: KeptSessions, mut requests: mpsc::Receiver<()>) {
    let notify = async || {
        let mut session = sessions.acquire().await?;
        let notify = sqlx::query!("SELECT pg_notify(current_schema() || '_outbox', '')");
        notify.execute(&mut *session).await?;
        session.keep();
        Ok::<_, PgError>(())
    };
    while requests.recv().await.is_some() {
        if let Err(error) = in_time(notify()).await {
            tracing::debug!(
                error = one_line(&error),
                "could not notify relays of new events; they find them when they poll"
            );
        }
        time::sleep(NOTIFY_INTERVAL).await;
    }
}

/// Wakes a worker of a relay when events were stored. Each worker has a clone.
///
/// A notification wakes one worker. A worker that leaves work wakes the next one
/// ([`Self::wake_another`]). So only as many workers are awake as there is work for, and the others
/// do not query the database.
///
/// It listens on its own connection, which must not go through a pooler in transaction mode: such a
/// pooler does not forward notifications. After a wakeup, the next waits are short and grow: a
/// transaction that was still running may have committed by then.
#[derive(Debug, Clone)]
pub struct Wakeups {
    /// Wakes one worker at once.
    wake: Arc<Notify>,
    /// Wakes one worker, at most once per [`WAKE_INTERVAL`].
    notified: Arc<Notify>,
    /// Keeps the listening task alive as long as there is a clone.
    _keep_listening: watch::Receiver<()>,
    /// The maximum time of the next wait.
    next_wait: Duration,
}

impl Wakeups {
    /// Spawns the listening task on the current runtime. The task ends when the last clone is
    /// dropped.
    #[must_use]
    pub fn listen(database: &Database) -> Self {
        let (wake, notified) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (clones, receiver) = watch::channel(());
        tokio::spawn(run_listener(database.clone(), notified.clone(), wake.clone(), clones));
        Self { wake, notified, _keep_listening: receiver, next_wait: Duration::MAX }
    }

    /// Waits until this worker is woken, but no longer than `at_most`. After a wakeup, the next
    /// waits are shorter. While the database is unavailable, nothing wakes the worker.
    pub async fn wait(&mut self, at_most: Duration) {
        let wait = self.next_wait.min(at_most);
        match time::timeout(wait, self.wake.notified()).await {
            Ok(()) => self.next_wait = FIRST_RECHECK,
            Err(_) => self.next_wait = self.next_wait.saturating_mul(2),
        }
    }

    /// Wakes another worker at once, because there is work left.
    pub fn wake_another(&self) {
        self.wake.notify_one();
    }

    /// Wakes a worker soon, because this worker's claim has ended: new events in its lanes could
    /// not be claimed before.
    pub fn wake_soon(&self) {
        self.notified.notify_one();
    }

    /// Sets the maximum time of the next wait, for tests.
    pub fn set_next_wait(&mut self, wait: Duration) {
        self.next_wait = wait;
    }
}

async fn run_listener(
    database: Database,
    notified: Arc<Notify>,
    wake: Arc<Notify>,
    clones: watch::Sender<()>,
) {
    let listening = async {
        loop {
            if let Err(error) = listen(&database, &notified).await {
                tracing::debug!(
                    error = one_line(&error),
                    "lost the connection that listens for new events; connecting again in 1 s"
                );
            }
            time::sleep(RECONNECT).await;
        }
    };
    // Notifications that arrive within one interval, from any program, wake one worker.
    let waking = async {
        loop {
            notified.notified().await;
            wake.notify_one();
            time::sleep(WAKE_INTERVAL).await;
        }
    };
    tokio::select! {
        () = listening => {}
        () = waking => {}
        () = clones.closed() => {}
    }
}

async fn listen(database: &Database, notified: &Notify) -> Result<(), sqlx::Error> {
    // A new pool each time: the old one may still count the connection that was lost.
    let pool = database
        .sessions(1, "")
        .max_lifetime(None)
        .idle_timeout(None)
        .connect_lazy_with(database.options().clone());
    let channel = format!("{}_outbox", database.schema());
    let mut listener = PgListener::connect_with(&pool).await?;
    within(SIGN_OF_LIFE, listener.listen(&channel)).await?;
    // Notifications that were sent before are lost, so wake a worker once.
    notified.notify_one();
    loop {
        match time::timeout(TEST_CONNECTION_AFTER, listener.try_recv()).await {
            Ok(received) => {
                // `None` means that the connection was lost and restored. Notifications may be
                // lost.
                received?;
                notified.notify_one();
            }
            Err(_elapsed) => {
                // No macro of sqlx: there is nothing to check.
                let test = sqlx::query("SELECT 1").execute(&mut listener);
                within(SIGN_OF_LIFE, test).await?;
            }
        }
    }
}
