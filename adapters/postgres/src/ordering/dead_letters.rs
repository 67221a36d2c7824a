use application::StoreError;
use domain::{EventId, OrderId, OrderVersion, Timestamp};

use crate::patience::in_time;
use crate::{Database, PgError};

/// The events that Kafka refused, for the operator who decides about them.
#[derive(Debug, Clone)]
pub struct OutboxDeadLetters {
    database: Database,
}

/// An event that Kafka refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxDeadLetter {
    /// The event.
    pub event_id: EventId,
    /// The order it happened to.
    pub order_id: OrderId,
    /// The order's version once it had happened.
    pub order_version: OrderVersion,
    /// Its type, such as `OrderCreated`.
    pub event_type: String,
    /// Why it was refused.
    pub reason: String,
    /// When it was put aside.
    pub died_at: Timestamp,
}

type Row =
    (sqlx::types::Uuid, sqlx::types::Uuid, i64, String, String, chrono::DateTime<chrono::Utc>);

impl OutboxDeadLetters {
    /// The dead letters in this database.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        Self { database: database.clone() }
    }

    /// At most `limit` of those that wait for a decision, the oldest first.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn waiting(&self, limit: usize) -> Result<Vec<OutboxDeadLetter>, StoreError> {
        let query = "SELECT event_id, order_id, order_version, event_type, reason, died_at
                     FROM ordering.outbox_dead_letters WHERE discarded_at IS NULL
                     ORDER BY died_at, event_id LIMIT $1";
        let rows: Vec<Row> = sqlx::query_as(query)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.database.pool())
            .await
            .map_err(PgError::from)?;
        rows.into_iter().map(letter).collect()
    }

    /// Makes an event due again. Later events of its order may have been published meanwhile.
    /// `false` if it does not wait for a decision.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn retry(&self, event: EventId) -> Result<bool, StoreError> {
        Ok(in_time(self.revive(event)).await?)
    }

    /// Gives an event up: it will never be published. `false` if it does not wait for a decision.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn discard(&self, event: EventId) -> Result<bool, StoreError> {
        let query = "UPDATE ordering.outbox_dead_letters SET discarded_at = now()
                     WHERE event_id = $1 AND discarded_at IS NULL";
        let query = sqlx::query(query).bind(event.get());
        let done = query.execute(self.database.pool()).await.map_err(PgError::from)?;
        Ok(done.rows_affected() > 0)
    }

    async fn revive(&self, event: EventId) -> Result<bool, PgError> {
        let mut transaction = self.database.pool().begin().await?;
        // Only who holds the lane may change what its cursor and its stragglers say.
        let lock = "SELECT l.lane FROM ordering.outbox_lanes AS l
                    JOIN ordering.outbox_dead_letters AS d USING (lane)
                    WHERE d.event_id = $1 FOR UPDATE OF l";
        let lane: Option<i16> =
            sqlx::query_scalar(lock).bind(event.get()).fetch_optional(&mut *transaction).await?;
        if lane.is_none() {
            return Ok(false);
        }
        let revive = "
            WITH revived AS (
                DELETE FROM ordering.outbox_dead_letters
                WHERE event_id = $1 AND discarded_at IS NULL
                RETURNING lane, position, order_id
            ), noted AS (
                INSERT INTO ordering.outbox_stragglers (lane, position, reason, order_id)
                SELECT lane, position, 'held', order_id
                FROM revived JOIN ordering.outbox_lanes USING (lane)
                WHERE position <= through
            )
            SELECT count(*) FROM revived";
        let revived: i64 =
            sqlx::query_scalar(revive).bind(event.get()).fetch_one(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(revived > 0)
    }
}

fn letter(row: Row) -> Result<OutboxDeadLetter, StoreError> {
    let (event_id, order_id, order_version, event_type, reason, died_at) = row;
    Ok(OutboxDeadLetter {
        event_id: EventId::new(event_id),
        order_id: OrderId::new(order_id),
        order_version: OrderVersion::try_from(order_version)
            .map_err(|error| StoreError::Broken(Box::new(error)))?,
        event_type,
        reason,
        died_at: died_at.into(),
    })
}
