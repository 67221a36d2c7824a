//! New orders that arrive while others are being stored are stored together, in one statement.
//!
//! Postgres flushes its log once for each transaction, and executes each statement anew. Orders that
//! share a transaction share these costs. An order never waits for others to arrive.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use adapter_outbox::WakeupSender;
use adapter_postgres::timeouts::within;
use adapter_postgres::{KeptSessions, PgError};
use application::StoreError;
use futures_util::FutureExt;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::save::{Save, Write, save_all};

/// Number of statements that run at the same time.
pub(super) const WRITERS: usize = 4;

/// Maximum number of orders in a statement.
const MAX_ORDERS: usize = 32;

/// How long a save may take. It takes milliseconds, unless the connection leads to an old primary. A
/// consumer has to use up all such connections before it goes on.
pub(super) const SAVE: Duration = Duration::from_secs(4);

/// The queue of new orders.
#[derive(Debug, Clone)]
pub(super) struct Batches(mpsc::Sender<Waiting>);

/// A new order that waits for its result.
#[derive(Debug)]
struct Waiting {
    save: Arc<Save>,
    result: oneshot::Sender<Result<Write, StoreError>>,
}

/// The error of a statement, for one of its orders.
#[derive(Debug, Clone, thiserror::Error)]
#[error(transparent)]
struct BatchError(Arc<PgError>);

/// Error for an order whose writer has ended.
#[derive(Debug, thiserror::Error)]
#[error("the program is stopping")]
struct Stopped;

impl Batches {
    /// Spawns the tasks that store the orders. They end when the last clone is dropped.
    pub(super) fn spawn(sessions: &KeptSessions, wakeups: &WakeupSender) -> Self {
        let (sender, receiver) = mpsc::channel(WRITERS * MAX_ORDERS);
        let queue = Arc::new(Mutex::new(receiver));
        for _ in 0..WRITERS {
            let writer = Writer { sessions: sessions.clone(), wakeups: wakeups.clone() };
            tokio::spawn(writer.run(Arc::clone(&queue)));
        }
        Self(sender)
    }

    /// Stores a new order, together with others that wait.
    ///
    /// It is stored even if the caller does not wait for the result.
    pub(super) async fn save(&self, save: Arc<Save>) -> Result<Write, StoreError> {
        let (result, stored) = oneshot::channel();
        let stopped = || StoreError::Unavailable(Box::new(Stopped));
        self.0.send(Waiting { save, result }).await.map_err(|_| stopped())?;
        stored.await.map_err(|_| stopped())?
    }
}

/// A task that stores orders.
#[derive(Debug)]
struct Writer {
    sessions: KeptSessions,
    wakeups: WakeupSender,
}

impl Writer {
    /// Stores batches of orders until there are no senders left.
    async fn run(self, queue: Arc<Mutex<mpsc::Receiver<Waiting>>>) {
        loop {
            let mut batch = Vec::new();
            if queue.lock().await.recv_many(&mut batch, MAX_ORDERS).await == 0 {
                return;
            }
            let (batch, repeated) = split(batch);
            let stored = async {
                self.store(batch).await;
                for waiting in repeated {
                    self.store(vec![waiting]).await;
                }
            };
            // A panic must end only this batch. Its callers get an error, because their senders are dropped.
            let _ = AssertUnwindSafe(stored).catch_unwind().await;
        }
    }

    /// Stores a batch, and each of its orders alone if one of them is the reason that it cannot be stored.
    async fn store(&self, batch: Vec<Waiting>) {
        let error = match save_together(&self.sessions, &batch).await {
            Ok(writes) => {
                if writes.contains(&Write::Written) {
                    self.wakeups.send();
                }
                for (waiting, write) in batch.into_iter().zip(writes) {
                    // The caller may have gone.
                    let _ = waiting.result.send(Ok(write));
                }
                return;
            }
            Err(error) => error,
        };
        if error.is_passing() {
            let error = BatchError(Arc::new(error));
            for waiting in batch {
                let error = StoreError::Unavailable(Box::new(error.clone()));
                let _ = waiting.result.send(Err(error));
            }
            return;
        }
        for Waiting { save, result } in batch {
            let write = save_alone(&self.sessions, &save, &self.wakeups).await;
            let _ = result.send(write.map_err(StoreError::from));
        }
    }
}

/// Separates the orders that a batch cannot have because another one has the same id or cause.
fn split(batch: Vec<Waiting>) -> (Vec<Waiting>, Vec<Waiting>) {
    let (mut ids, mut causes) = (HashSet::new(), HashSet::new());
    batch.into_iter().partition(|Waiting { save, .. }| {
        let cause = save.cause_key().map(|(kind, key)| (kind, key.to_owned()));
        ids.insert(save.order.id) && cause.is_none_or(|cause| causes.insert(cause))
    })
}

async fn save_together(sessions: &KeptSessions, batch: &[Waiting]) -> Result<Vec<Write>, PgError> {
    let saves: Vec<&Save> = batch.iter().map(|waiting| waiting.save.as_ref()).collect();
    let work = async {
        let mut session = sessions.acquire().await?;
        let writes = save_all(&saves, &mut session).await?;
        session.keep();
        Ok(writes)
    };
    within(SAVE, work).await
}

/// Saves an order in its own statement.
pub(super) async fn save_alone(
    sessions: &KeptSessions,
    save: &Save,
    wakeups: &WakeupSender,
) -> Result<Write, PgError> {
    // An old primary may never answer: a commit there waits for a standby that is gone.
    let work = async {
        let mut session = sessions.acquire().await?;
        let write = save.run(&mut session).await?;
        session.keep();
        if write == Write::Written {
            wakeups.send();
        }
        Ok(write)
    };
    within(SAVE, work).await
}
