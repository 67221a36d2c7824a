use std::sync::Arc;

use adapter_outbox::WakeupSender;
use adapter_postgres::timeouts::{in_time, within};
use adapter_postgres::{Database, KeptSessions, PgError};
use application::StoreError;
use application::event_format::EncodeEvent;
use application::ordering::{Cause, FindAnswerError, Orders, SaveError, Saved};
use domain::OrderId;
use domain::ordering::Order;
use sqlx::types::{Json, Uuid};

use super::batches::{Batches, SAVE, save_alone};
use super::order_row::{OrderRow, select_orders};
use super::save::{Save, Write, cause_key};

/// Maximum number of attempts to save an order while housekeeping deletes the answer to its cause.
const ATTEMPTS: usize = 3;

/// The orders, in Postgres.
///
/// One statement stores an order, its events and the answer to its cause. So a save needs one round
/// trip, and holds no lock while the program waits for the network. New orders that arrive while others
/// are being stored share a statement.
#[derive(Debug, Clone)]
pub struct PgOrders {
    pub(super) database: Database,
    sessions: KeptSessions,
    batches: Batches,
    wakeups: WakeupSender,
    pub(super) encode: EncodeEvent,
}

/// The stored answer to a cause.
struct Answer {
    /// The fingerprint of the request that was answered.
    fingerprint: Option<Uuid>,
    order: Json<OrderRow>,
}

/// Error for an answer that was deleted during every attempt to read it.
#[derive(Debug, thiserror::Error)]
#[error("the stored answer was deleted during each of {ATTEMPTS} attempts to read it")]
struct AnswerGone;

impl PgOrders {
    /// The orders in this database. `encode` encodes their events.
    ///
    /// Must be called on a tokio runtime. It spawns a task that wakes relays when events were
    /// stored, and tasks that store new orders. The tasks end when the last clone is dropped.
    #[must_use]
    pub fn new(database: &Database, encode: EncodeEvent) -> Self {
        let sessions = KeptSessions::of(database.pool());
        let wakeups = WakeupSender::spawn(database);
        let batches = Batches::spawn(&sessions, &wakeups);
        Self { database: database.clone(), sessions, batches, wakeups, encode }
    }

    /// The stored answer to a cause.
    async fn answer(&self, cause: &Cause) -> Result<Option<Answer>, StoreError> {
        let Some((kind, key, _)) = cause_key(cause) else {
            return Ok(None);
        };
        let answer = sqlx::query_as!(
            Answer,
            r#"SELECT fingerprint, answer AS "order: _" FROM causes
               WHERE kind = $1 AND key = $2"#,
            kind,
            key
        );
        Ok(answer.fetch_optional(self.database.pool()).await.map_err(PgError::from)?)
    }

    /// Looks for an order in a transaction that writes something.
    ///
    /// After the promotion of a synchronous standby, a connection may still lead to the old primary,
    /// which does not know the newest orders. It cannot commit there, so an order that is not found here
    /// does not exist.
    async fn find_on_primary(&self, id: OrderId) -> Result<Option<OrderRow>, PgError> {
        let mut transaction = self.database.pool().begin().await?;
        // This only writes to the log, in which Postgres has to wait for the standby.
        sqlx::query!("SELECT pg_logical_emit_message(true, 'find', ''::text)::text AS position")
            .fetch_one(&mut *transaction)
            .await?;
        let row =
            select_orders!("WHERE id = $1", id.get()).fetch_optional(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(row)
    }

    async fn write(&self, save: &Arc<Save>) -> Result<Write, StoreError> {
        if save.stored_version.is_none() {
            self.batches.save(Arc::clone(save)).await
        } else {
            Ok(save_alone(&self.sessions, save, &self.wakeups).await?)
        }
    }
}

impl Orders for PgOrders {
    async fn find(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        let row = select_orders!("WHERE id = $1", id.get());
        let found = async { Ok(row.fetch_optional(self.database.pool()).await?) };
        let row = match in_time::<_, PgError>(found).await? {
            None => within(SAVE, self.find_on_primary(id)).await?,
            found => found,
        };
        row.map(OrderRow::order).transpose()
    }

    async fn find_answer(&self, cause: &Cause) -> Result<Option<Order>, FindAnswerError> {
        let Some(answer) = self.answer(cause).await? else {
            return Ok(None);
        };
        match cause {
            Cause::Request(_, asked) if answer.fingerprint != Some(asked.get()) => {
                Err(FindAnswerError::KeyReused)
            }
            _ => Ok(Some(answer.order.0.order()?)),
        }
    }

    async fn save(&self, order: Order, cause: Cause) -> Result<Saved, SaveError> {
        let save = Arc::new(Save::of(&order, &cause, self.encode)?);
        for _ in 0..ATTEMPTS {
            match self.write(&save).await? {
                Write::Written => return Ok(Saved::Stored(order.saved())),
                Write::Changed => return Err(SaveError::VersionConflict),
                Write::AnsweredBefore => match self.find_answer(&cause).await {
                    Ok(Some(answer)) => return Ok(Saved::AnsweredBefore(answer)),
                    // Housekeeping has deleted the answer in between. Try again: the cause is new
                    // now.
                    Ok(None) => {}
                    Err(FindAnswerError::KeyReused) => return Err(SaveError::KeyReused),
                    Err(FindAnswerError::Store(error)) => return Err(error.into()),
                },
            }
        }
        Err(StoreError::Unavailable(Box::new(AnswerGone)).into())
    }
}
