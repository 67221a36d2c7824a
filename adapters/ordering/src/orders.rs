use adapter_outbox::WakeupSender;
use adapter_postgres::{Database, PgError};
use application::StoreError;
use application::event_format::EncodeEvent;
use application::ordering::{Cause, FindAnswerError, Orders, SaveError, Saved};
use domain::OrderId;
use domain::ordering::Order;
use sqlx::types::{Json, Uuid};

use super::order_row::{OrderRow, select_orders};
use super::save::{Save, Write, cause_key};

/// Maximum number of attempts to save an order while housekeeping deletes the answer to its cause.
const ATTEMPTS: usize = 3;

/// The orders, in Postgres.
///
/// One statement stores an order, its events and the answer to its cause. So a save needs one round
/// trip, and holds no lock while the program waits for the network.
#[derive(Debug, Clone)]
pub struct PgOrders {
    pub(super) database: Database,
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
    /// stored. The task ends when the last clone is dropped.
    #[must_use]
    pub fn new(database: &Database, encode: EncodeEvent) -> Self {
        Self { database: database.clone(), wakeups: WakeupSender::spawn(database), encode }
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

    async fn write(&self, save: &Save) -> Result<Write, StoreError> {
        let mut connection = self.database.pool().acquire().await.map_err(PgError::from)?;
        Ok(save.run(&mut connection).await?)
    }
}

impl Orders for PgOrders {
    async fn find(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        let row = select_orders!("WHERE id = $1", id.get());
        let row = row.fetch_optional(self.database.pool()).await.map_err(PgError::from)?;
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
        let save = Save::of(&order, &cause, self.encode)?;
        for _ in 0..ATTEMPTS {
            match self.write(&save).await? {
                Write::Written => {
                    self.wakeups.send();
                    return Ok(Saved::Stored(order.saved()));
                }
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
