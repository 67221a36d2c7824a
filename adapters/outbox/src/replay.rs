use application::StoreError;
use domain::Timestamp;

use adapter_postgres::timeouts::in_time;
use adapter_postgres::{Database, PgError};

/// Makes events that were published due again, as long as the outbox still has them.
///
/// Each order's events come again in their order; consumers drop what they have seen. Dead letters
/// stay aside.
#[derive(Debug, Clone)]
pub struct Replay {
    database: Database,
}

impl Replay {
    /// Replays from this database.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        Self { database: database.clone() }
    }

    /// Moves the cursors back to the first event recorded at or after `since`, or to the first one
    /// there is. Gives the number of positions that became due, gaps included.
    ///
    /// It takes each lane in turn, after the relay that works on it.
    ///
    /// # Errors
    /// When the database cannot be reached; the lanes that were rewound stay so.
    pub async fn rewind(&self, since: Option<Timestamp>) -> Result<i64, StoreError> {
        let query = "SELECT lane FROM outbox_lanes ORDER BY lane";
        let lanes: Vec<i16> = sqlx::query_scalar(query)
            .fetch_all(self.database.pool())
            .await
            .map_err(PgError::from)?;
        let mut due = 0;
        for lane in lanes {
            due += in_time(self.rewind_lane(lane, since)).await?;
        }
        Ok(due)
    }

    async fn rewind_lane(&self, lane: i16, since: Option<Timestamp>) -> Result<i64, PgError> {
        let mut transaction = self.database.pool().begin().await?;
        let lock = "SELECT through FROM outbox_lanes WHERE lane = $1 FOR UPDATE";
        let before: i64 = sqlx::query_scalar(lock).bind(lane).fetch_one(&mut *transaction).await?;
        let rewind = "
            UPDATE outbox_lanes
            SET through = least(through, coalesce((
                SELECT min(position) - 1 FROM outbox
                WHERE lane = $1 AND recorded_at >= coalesce($2, '-infinity'::timestamptz)
            ), through))
            WHERE lane = $1
            RETURNING through";
        let after: i64 = sqlx::query_scalar(rewind)
            .bind(lane)
            .bind(since.map(Timestamp::get))
            .fetch_one(&mut *transaction)
            .await?;
        // What lies behind the cursor is read anyway; it is no exception any more.
        sqlx::query("DELETE FROM outbox_stragglers WHERE lane = $1 AND position > $2")
            .bind(lane)
            .bind(after)
            .execute(&mut *transaction)
            .await?;
        let gaps = "
            WITH behind AS (
                DELETE FROM outbox_gaps WHERE lane = $1 AND first_position > $2)
            UPDATE outbox_gaps SET last_position = $2
            WHERE lane = $1 AND first_position <= $2 AND last_position > $2";
        sqlx::query(gaps).bind(lane).bind(after).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(before - after)
    }
}
