use application::StoreError;
use application::dead_letters::{
    DeadLetterQuery, DeadLetters, KeptDeadLetter, OutboxDeadLetters, RefusedEvent,
};
use chrono::{DateTime, Utc};
use domain::{EventId, Timestamp};
use sqlx::types::Uuid;

use adapter_postgres::dead_letters::state;
use adapter_postgres::timeouts::in_time;
use adapter_postgres::{Database, PgError, storable};

/// The dead letters of an outbox: events that Kafka refused. An operator retries or discards them.
#[derive(Debug, Clone)]
pub struct PgOutboxDeadLetters {
    database: Database,
}

/// Selects [`Row`]s from the dead letters in all states. A dead letter that was retried and refused
/// again is open.
macro_rules! select {
    ($rest:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"
            SELECT event_id AS "event_id!", order_id AS "order_id!",
                   order_version AS "order_version!", event_type AS "event_type!",
                   reason AS "reason!", died_at AS "died_at!", state AS "state!", settled_at
            FROM (
                SELECT event_id, order_id, order_version, event_type, reason, died_at,
                       CASE WHEN discarded_at IS NULL THEN 'open' ELSE 'discarded' END AS state,
                       discarded_at AS settled_at
                FROM outbox_dead_letters
                UNION ALL
                SELECT event_id, order_id, order_version, event_type, reason, died_at,
                       'retried', retried_at
                FROM outbox_retried_dead_letters AS r
                WHERE NOT EXISTS (SELECT FROM outbox_dead_letters AS d
                                  WHERE d.event_id = r.event_id)
            ) AS kept "# + $rest
            $(, $argument)*
        )
    };
}

#[derive(Debug)]
struct Row {
    event_id: Uuid,
    order_id: Uuid,
    order_version: i64,
    event_type: String,
    reason: String,
    died_at: DateTime<Utc>,
    state: String,
    settled_at: Option<DateTime<Utc>>,
}

impl PgOutboxDeadLetters {
    /// The dead letters in this database.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        Self { database: database.clone() }
    }

    async fn retry(&self, event: EventId) -> Result<bool, PgError> {
        let mut transaction = self.database.pool().begin().await?;
        // The cursor and the stragglers of a lane may be changed only while the lane is locked.
        let lane = sqlx::query_scalar!(
            "
            SELECT l.lane FROM outbox_lanes AS l JOIN outbox_dead_letters AS d USING (lane)
            WHERE d.event_id = $1 FOR UPDATE OF l",
            event.get()
        );
        if lane.fetch_optional(&mut *transaction).await?.is_none() {
            return Ok(false);
        }
        let revived = sqlx::query_scalar!(
            r#"
            WITH revived AS (
                DELETE FROM outbox_dead_letters
                WHERE event_id = $1 AND discarded_at IS NULL
                RETURNING lane, position, event_id, order_id, order_version, event_type, reason, died_at
            ), recorded AS (
                INSERT INTO outbox_retried_dead_letters
                    (event_id, order_id, order_version, event_type, reason, died_at)
                SELECT event_id, order_id, order_version, event_type, reason, died_at FROM revived
                ON CONFLICT (event_id) DO UPDATE
                SET reason = excluded.reason, died_at = excluded.died_at, retried_at = excluded.retried_at
            ), noted AS (
                INSERT INTO outbox_stragglers (lane, position, reason, order_id)
                SELECT lane, position, 'held', order_id
                FROM revived JOIN outbox_lanes USING (lane)
                WHERE position <= through
            )
            SELECT count(*) AS "revived!" FROM revived"#,
            event.get()
        );
        let revived = revived.fetch_one(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(revived > 0)
    }
}

impl DeadLetters for PgOutboxDeadLetters {
    type Id = EventId;
    type Content = RefusedEvent;

    async fn page(
        &self,
        query: DeadLetterQuery<'_, EventId>,
        limit: usize,
    ) -> Result<Vec<KeptDeadLetter<EventId, RefusedEvent>>, StoreError> {
        let rows = select!(
            "WHERE state = $1 AND ($2::uuid IS NULL OR event_id > $2)
               AND ($3::text IS NULL OR position($3 IN reason) > 0)
               AND ($4::text IS NULL OR event_type = $4)
             ORDER BY event_id LIMIT $5",
            query.status.as_str(),
            query.after.map(EventId::get),
            query.filter.reason().map(storable),
            query.filter.event_type().map(storable),
            i64::try_from(limit).unwrap_or(i64::MAX)
        );
        let rows = rows.fetch_all(self.database.pool()).await.map_err(PgError::from)?;
        rows.into_iter().map(Row::into_kept).collect()
    }

    async fn find(
        &self,
        event: EventId,
    ) -> Result<Option<KeptDeadLetter<EventId, RefusedEvent>>, StoreError> {
        let row = select!("WHERE event_id = $1", event.get());
        let row = row.fetch_optional(self.database.pool()).await.map_err(PgError::from)?;
        row.map(Row::into_kept).transpose()
    }

    async fn discard(&self, events: &[EventId]) -> Result<Vec<EventId>, StoreError> {
        let events: Vec<Uuid> = events.iter().map(|event| event.get()).collect();
        // Locks the rows in the order of their ids, so that two concurrent calls cannot deadlock.
        let discarded = sqlx::query_scalar!(
            "
            UPDATE outbox_dead_letters SET discarded_at = now()
            WHERE event_id IN (SELECT event_id FROM outbox_dead_letters
                               WHERE event_id = ANY ($1) AND discarded_at IS NULL
                               ORDER BY event_id FOR UPDATE)
            RETURNING event_id",
            &events[..]
        );
        let discarded = discarded.fetch_all(self.database.pool()).await.map_err(PgError::from)?;
        Ok(discarded.into_iter().map(EventId::new).collect())
    }

    async fn delete_settled(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        // A discarded dead letter is kept as long as its event: without it, a replay would publish
        // the event.
        let deleted = sqlx::query_scalar!(
            r#"
            WITH settled AS (
                SELECT 'discarded' AS state, d.event_id
                FROM outbox_dead_letters AS d
                WHERE d.discarded_at < $1
                  AND NOT EXISTS (SELECT FROM outbox AS o
                                  WHERE o.lane = d.lane AND o.position = d.position)
                UNION ALL
                SELECT 'retried', event_id FROM outbox_retried_dead_letters WHERE retried_at < $1
                LIMIT $2
            ), discarded AS (
                DELETE FROM outbox_dead_letters
                WHERE discarded_at < $1
                  AND event_id IN (SELECT event_id FROM settled WHERE state = 'discarded')
                RETURNING 1
            ), retried AS (
                DELETE FROM outbox_retried_dead_letters
                WHERE retried_at < $1 AND event_id IN (SELECT event_id FROM settled WHERE state = 'retried')
                RETURNING 1
            )
            SELECT (SELECT count(*) FROM discarded) + (SELECT count(*) FROM retried) AS "deleted!""#,
            before.get(),
            limit
        );
        let deleted = deleted.fetch_one(self.database.pool()).await.map_err(PgError::from)?;
        Ok(deleted.unsigned_abs())
    }
}

impl OutboxDeadLetters for PgOutboxDeadLetters {
    async fn make_due(&self, event: EventId) -> Result<bool, StoreError> {
        Ok(in_time(self.retry(event)).await?)
    }
}

impl Row {
    fn into_kept(self) -> Result<KeptDeadLetter<EventId, RefusedEvent>, StoreError> {
        let content = RefusedEvent {
            aggregate_id: self.order_id,
            aggregate_version: self.order_version,
            event_type: self.event_type,
        };
        Ok(KeptDeadLetter {
            id: EventId::new(self.event_id),
            content,
            reason: self.reason,
            kept_at: self.died_at.into(),
            state: state(&self.state, self.settled_at)?,
        })
    }
}
