//! How a relay hears at once that there are new events. Only a hint: polling is the truth.

use std::sync::Arc;
use std::time::Duration;

use application::one_line;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time;

use adapter_postgres::Database;
use adapter_postgres::timeouts::{SIGN_OF_LIFE, in_time, within};

/// Notifies on the channel of the session's schema, in the sense of Postgres' `NOTIFY`.
const NOTIFY: &str = "SELECT pg_notify(current_schema() || '_outbox', '')";

/// The least time between two notifications of one program.
const PAUSE: Duration = Duration::from_millis(10);

/// The least time between two pieces of news in one program. What comes in between is published
/// together: with a look for every event, a database that serves several relays would do little else.
const BREATH: Duration = Duration::from_millis(30);

/// How soon after news a relay looks again, for what was in flight; doubled each time.
const FIRST_REST: Duration = Duration::from_millis(50);

/// How long to wait before listening again after the connection was lost.
const RECONNECT: Duration = Duration::from_secs(1);

/// How long it may be quiet until the connection is asked whether it is still there.
const QUIET: Duration = Duration::from_secs(10);

/// Tells relays that events were stored.
///
/// It rings after the order's transaction, never in it: a `NOTIFY` makes its transaction queue for a
/// lock of the whole server when it commits. However many orders are saved, one notification goes
/// out per pause. A ring that cannot be sent is dropped.
#[derive(Debug, Clone)]
pub struct Bell(mpsc::Sender<()>);

impl Bell {
    /// A bell that a task of the current runtime rings, until the last clone is dropped.
    #[must_use]
    pub fn hang(database: &Database) -> Self {
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(ring_when_pulled(database.pool().clone(), receiver));
        Self(sender)
    }

    /// Rings soon, without waiting for it.
    pub fn ring(&self) {
        // Full means that it is about to ring anyway.
        let _ = self.0.try_send(());
    }
}

async fn ring_when_pulled(pool: PgPool, mut pulled: mpsc::Receiver<()>) {
    while pulled.recv().await.is_some() {
        if let Err(error) = in_time(sqlx::query(NOTIFY).execute(&pool)).await {
            tracing::debug!(error = one_line(&error), "relays were not told of new events");
        }
        time::sleep(PAUSE).await;
    }
}

/// Wakes one of a relay's workers when events were stored. Each worker has a clone.
///
/// Payload wakes one worker, not all: whoever leaves work behind calls the next ([`Self::pass_on`]), so
/// that as many are awake as there is work, and the database is not asked in vain by the others.
///
/// It listens on a connection of its own, which must lead to Postgres itself: a pooler in transaction
/// mode does not pass notifications on. After news the worker is woken a few times more, at growing
/// distances: a transaction that was still in flight when it looked may have ended.
#[derive(Debug, Clone)]
pub struct Wakeups {
    /// Wakes one worker.
    news: Arc<Notify>,
    /// Wakes one as well, but after a breath.
    heard: Arc<Notify>,
    /// Tells the listening task that somebody still waits for what it hears.
    _interest: watch::Receiver<()>,
    /// How long to rest even if nothing comes.
    rest: Duration,
}

impl Wakeups {
    /// Listens in a task of the current runtime, until the last clone is dropped.
    #[must_use]
    pub fn listen(database: &Database) -> Self {
        let (news, heard) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (interest, receiver) = watch::channel(());
        tokio::spawn(tell(database.clone(), heard.clone(), news.clone(), interest));
        Self { news, heard, _interest: receiver, rest: Duration::MAX }
    }

    /// Returns when events were stored and no other worker was woken for them, a few times more
    /// after that, or after `at_most`. While the database is down it only waits.
    pub async fn wait(&mut self, at_most: Duration) {
        let rest = self.rest.min(at_most);
        match time::timeout(rest, self.news.notified()).await {
            Ok(()) => self.rest = FIRST_REST,
            Err(_) => self.rest = self.rest.saturating_mul(2),
        }
    }

    /// Wakes another worker at once: there is more than one could take.
    pub fn pass_on(&self) {
        self.news.notify_one();
    }

    /// Wakes a worker soon: what came into the lanes that one held could not be claimed meanwhile.
    pub fn look_again(&self) {
        self.heard.notify_one();
    }
}

impl Wakeups {
    /// Forgets that there was news lately.
    pub fn rest_at_most(&mut self, rest: Duration) {
        self.rest = rest;
    }
}

async fn tell(
    database: Database,
    heard: Arc<Notify>,
    news: Arc<Notify>,
    interest: watch::Sender<()>,
) {
    let listening = async {
        loop {
            if let Err(error) = listen(&database, &heard).await {
                tracing::debug!(error = one_line(&error), "not listening for new events");
            }
            time::sleep(RECONNECT).await;
        }
    };
    // What is heard in one breath, from however many programs, is one piece of news.
    let passing_on = async {
        loop {
            heard.notified().await;
            news.notify_one();
            time::sleep(BREATH).await;
        }
    };
    tokio::select! {
        () = listening => {}
        () = passing_on => {}
        () = interest.closed() => {}
    }
}

async fn listen(database: &Database, heard: &Notify) -> Result<(), sqlx::Error> {
    // A new pool each time: the connection that was lost may have kept its place in the last one.
    let pool = database
        .sessions(1, "")
        .max_lifetime(None)
        .idle_timeout(None)
        .connect_lazy_with(database.options().clone());
    let channel = format!("{}_outbox", database.schema());
    let mut listener = PgListener::connect_with(&pool).await?;
    within(SIGN_OF_LIFE, listener.listen(&channel)).await?;
    // Nothing arrived while it was not listening: look once, just in case.
    heard.notify_one();
    loop {
        match time::timeout(QUIET, listener.try_recv()).await {
            Ok(told) => {
                // `None` tells that the connection was lost and is there again.
                told?;
                heard.notify_one();
            }
            Err(_quiet) => {
                let asked = sqlx::query("SELECT 1").execute(&mut listener);
                within(SIGN_OF_LIFE, asked).await?;
            }
        }
    }
}
