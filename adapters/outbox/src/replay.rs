use application::StoreError;
use application::relay::Replay;
use domain::Timestamp;

use adapter_postgres::timeouts::in_time;
use adapter_postgres::{Database, PgError};

/// Replays events from an outbox in Postgres: moves the cursors of its lanes back.
///
/// It rewinds one lane after the other and waits for a relay that has claimed the lane. If it fails,
/// the lanes that were rewound before stay rewound.
#[derive(Debug, Clone)]
pub struct PgReplay {
    database: Database,
}

impl Replay for PgReplay {
    async fn rewind(&self, since: Option<Timestamp>) -> Result<i64, StoreError> {
        let lanes = sqlx::query_scalar!("SELECT lane FROM outbox_lanes ORDER BY lane")
            .fetch_all(self.database.pool())
            .await
            .map_err(PgError::from)?;
        let mut due = 0;
        for lane in lanes {
            due += in_time(self.rewind_lane(lane, since)).await?;
        }
        Ok(due)
    }
}

impl PgReplay {
    /// Replays from this database.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        Self { database: database.clone() }
    }

    async fn rewind_lane(&self, lane: i16, since: Option<Timestamp>) -> Result<i64, PgError> {
        let mut transaction = self.database.pool().begin().await?;
        let before = sqlx::query_scalar!(
            "SELECT through FROM outbox_lanes WHERE lane = $1 FOR UPDATE",
            lane
        );
        let before = before.fetch_one(&mut *transaction).await?;
        let after = sqlx::query_scalar!(
            "
            UPDATE outbox_lanes
            SET through = least(through, coalesce((
                SELECT min(position) - 1 FROM outbox
                WHERE lane = $1 AND recorded_at >= coalesce($2, '-infinity'::timestamptz)
            ), through))
            WHERE lane = $1
            RETURNING through",
            lane,
            since.map(Timestamp::get)
        );
        let after = after.fetch_one(&mut *transaction).await?;
        // Claims read all rows above the new cursor. Stragglers and gaps there are not needed any more.
        let stragglers = sqlx::query!(
            "DELETE FROM outbox_stragglers WHERE lane = $1 AND position > $2",
            lane,
            after
        );
        stragglers.execute(&mut *transaction).await?;
        let gaps = sqlx::query!(
            "
            WITH behind AS (
                DELETE FROM outbox_gaps WHERE lane = $1 AND first_position > $2)
            UPDATE outbox_gaps SET last_position = $2
            WHERE lane = $1 AND first_position <= $2 AND last_position > $2",
            lane,
            after
        );
        gaps.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(before - after)
    }
}
