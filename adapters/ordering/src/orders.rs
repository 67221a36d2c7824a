use adapter_outbox::Bell;
use adapter_postgres::{Database, PgError};
use application::StoreError;
use application::event_format::EncodeEvent;
use application::ordering::{Cause, FindAnswerError, Orders, SaveError, Saved};
use domain::OrderId;
use domain::ordering::Order;
use sqlx::types::{Json, Uuid};

use super::order_row::{OrderRow, select_orders};
use super::save::{Save, Write, cause_key};

/// How often a save is tried again when its cause is answered and forgotten at the same time.
const ATTEMPTS: usize = 3;

/// All orders, in Postgres.
///
/// An order, its events and the cause it answers are written by one statement, so a save costs one
/// round trip and holds no lock between two of them.
#[derive(Debug, Clone)]
pub struct PgOrders {
    pub(super) database: Database,
    bell: Bell,
    pub(super) encode: EncodeEvent,
}

/// An answer that is kept but could not be found again.
#[derive(Debug, thiserror::Error)]
#[error("the cause was answered and forgotten again and again")]
struct AnswerGone;

impl PgOrders {
    /// The orders in this database, their events encoded by `encode`. Must be called on a tokio runtime: a task of it tells relays of
    /// new events until the last clone is dropped.
    #[must_use]
    pub fn new(database: &Database, encode: EncodeEvent) -> Self {
        Self { database: database.clone(), bell: Bell::hang(database), encode }
    }

    /// The kept answer to a cause, with the fingerprint of the request that got it.
    async fn answer(
        &self,
        cause: &Cause,
    ) -> Result<Option<(Option<Uuid>, Json<OrderRow>)>, StoreError> {
        let Some((kind, key, _)) = cause_key(cause) else {
            return Ok(None);
        };
        let query = "SELECT fingerprint, answer FROM ordering.causes WHERE kind = $1 AND key = $2";
        Ok(sqlx::query_as(query)
            .bind(kind)
            .bind(key)
            .fetch_optional(self.database.pool())
            .await
            .map_err(PgError::from)?)
    }

    async fn write(&self, save: &Save) -> Result<Write, StoreError> {
        let mut connection = self.database.pool().acquire().await.map_err(PgError::from)?;
        Ok(save.run(&mut connection).await?)
    }
}

impl Orders for PgOrders {
    async fn find(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        let row: Option<OrderRow> = sqlx::query_as(select_orders!("WHERE id = $1"))
            .bind(id.get())
            .fetch_optional(self.database.pool())
            .await
            .map_err(PgError::from)?;
        row.map(OrderRow::order).transpose()
    }

    async fn find_answer(&self, cause: &Cause) -> Result<Option<Order>, FindAnswerError> {
        let Some((fingerprint, Json(answer))) = self.answer(cause).await? else {
            return Ok(None);
        };
        match cause {
            Cause::Request(_, asked) if fingerprint != Some(asked.get()) => {
                Err(FindAnswerError::KeyReused)
            }
            _ => Ok(Some(answer.order()?)),
        }
    }

    async fn save(&self, order: Order, cause: Cause) -> Result<Saved, SaveError> {
        let save = Save::of(&order, &cause, self.encode)?;
        for _ in 0..ATTEMPTS {
            match self.write(&save).await? {
                Write::Written => {
                    self.bell.ring();
                    return Ok(Saved::Stored(order.saved()));
                }
                Write::Changed => return Err(SaveError::VersionConflict),
                Write::AnsweredBefore => match self.find_answer(&cause).await {
                    Ok(Some(answer)) => return Ok(Saved::AnsweredBefore(answer)),
                    // Housekeeping forgot the cause in between: it is a new one now.
                    Ok(None) => {}
                    Err(FindAnswerError::KeyReused) => return Err(SaveError::KeyReused),
                    Err(FindAnswerError::Store(error)) => return Err(error.into()),
                },
            }
        }
        Err(StoreError::Unavailable(Box::new(AnswerGone)).into())
    }
}
