use std::collections::HashMap;

use application::StoreError;
use application::relay::OutboxRecord;
use chrono::{DateTime, Utc};
use domain::{EventId, OrderId, OrderVersion};
use sqlx::types::{Json, Uuid};
use sqlx::{FromRow, Postgres, Transaction};

use super::look::Lanes;
use super::plan::{Fresh, Sight, Straggler};
use crate::postgres::PgError;

/// Of these lanes, locks one that nobody has locked or worked on since, the one that waited longest
/// first. This is the first statement of its transaction, so its snapshot is older than the transaction's id: see the
/// proof in the module's description for why `noted` is read here.
const LOCK: &str = "
SELECT l.lane, l.through,
       ARRAY (SELECT s.position FROM ordering.outbox_stragglers AS s
              WHERE s.lane = l.lane AND s.reason = 'late'
                AND (s.horizon IS NULL OR s.horizon > pg_snapshot_xmax(pg_current_snapshot()))
       ) AS noted
FROM ordering.outbox_lanes AS l
JOIN unnest($1::smallint[], $2::bigint[]) AS seen (lane, through)
     ON seen.lane = l.lane AND seen.through = l.through
ORDER BY l.settled_at
LIMIT 1
FOR UPDATE OF l SKIP LOCKED";

/// The lane's stragglers and the rows behind its cursor, in one statement and so in one snapshot.
const READ: &str = "
SELECT s.position, s.attempts, s.retry_at <= now() AS due, s.reason = 'late' AS late,
       coalesce(s.horizon <= pg_snapshot_xmin(pg_current_snapshot()), false) AS proved,
       NULL::boolean AS ripe, NULL::boolean AS dead,
       o.event_id, o.order_id, o.order_version, o.event_type, o.schema_fingerprint, o.payload,
       o.headers, o.occurred_at
FROM ordering.outbox_stragglers AS s
LEFT JOIN ordering.outbox AS o USING (lane, position)
WHERE s.lane = $1
UNION ALL
SELECT o.position, NULL, NULL, NULL, NULL,
       o.recorded_at <= now() - interval '50 milliseconds'
           OR o.recorded_at > now() + interval '1 second',
       d.position IS NOT NULL,
       o.event_id, o.order_id, o.order_version, o.event_type, o.schema_fingerprint, o.payload,
       o.headers, o.occurred_at
FROM (
    SELECT * FROM ordering.outbox WHERE lane = $1 AND position > $2 ORDER BY position LIMIT $3
) AS o
LEFT JOIN ordering.outbox_dead_letters AS d USING (lane, position)";

/// A lane that this transaction has locked.
#[derive(Debug, FromRow)]
pub(super) struct LockedLane {
    pub(super) lane: i16,
    /// Its cursor, as it is now that nobody else can move it.
    pub(super) through: i64,
    /// Late stragglers without a horizon, noted before this transaction had an id.
    noted: Vec<i64>,
}

#[derive(Debug, FromRow)]
struct SeenRow {
    position: i64,
    attempts: Option<i32>,
    due: Option<bool>,
    late: Option<bool>,
    proved: Option<bool>,
    ripe: Option<bool>,
    dead: Option<bool>,
    event_id: Option<Uuid>,
    order_id: Option<Uuid>,
    order_version: Option<i64>,
    event_type: Option<String>,
    schema_fingerprint: Option<Vec<u8>>,
    payload: Option<Vec<u8>>,
    headers: Option<Json<HashMap<String, String>>>,
    occurred_at: Option<DateTime<Utc>>,
}

/// A row of the outbox that no writer of ours can have written.
#[derive(Debug, thiserror::Error)]
#[error("position {position} of lane {lane} of the outbox holds a record that makes no sense")]
struct DamagedRecord {
    lane: i16,
    position: i64,
}

impl LockedLane {
    /// Locks one of these lanes.
    pub(super) async fn lock(
        transaction: &mut Transaction<'static, Postgres>,
        seen: &Lanes,
    ) -> Result<Option<Self>, PgError> {
        let (lanes, cursors): (Vec<i16>, Vec<i64>) = seen.iter().copied().unzip();
        Ok(sqlx::query_as(LOCK)
            .bind(lanes)
            .bind(cursors)
            .fetch_optional(&mut **transaction)
            .await?)
    }

    /// Reads the lane: its stragglers, and up to `limit` rows behind its cursor.
    pub(super) async fn read(
        &self,
        transaction: &mut Transaction<'static, Postgres>,
        limit: usize,
    ) -> Result<(Vec<Straggler>, Vec<Fresh>), StoreError> {
        let rows: Vec<SeenRow> = sqlx::query_as(READ)
            .bind(self.lane)
            .bind(self.through)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&mut **transaction)
            .await
            .map_err(PgError::from)?;
        let mut stragglers = Vec::new();
        let mut fresh = Vec::with_capacity(rows.len());
        for row in rows {
            self.sort_in(row, &mut stragglers, &mut fresh)?;
        }
        stragglers.sort_unstable_by_key(|straggler: &Straggler| straggler.position);
        fresh.sort_unstable_by_key(|fresh: &Fresh| fresh.record.position);
        Ok((stragglers, fresh))
    }

    fn sort_in(
        &self,
        row: SeenRow,
        stragglers: &mut Vec<Straggler>,
        fresh: &mut Vec<Fresh>,
    ) -> Result<(), StoreError> {
        let damaged = DamagedRecord { lane: self.lane, position: row.position };
        let damaged = || StoreError::Broken(Box::new(damaged));
        if let (Some(attempts), Some(due), Some(late), Some(proved)) =
            (row.attempts, row.due, row.late, row.proved)
        {
            let position = row.position;
            let sight = if row.event_id.is_some() {
                let record = self.record(row).ok_or_else(damaged)?;
                if due || late { Sight::Due(record) } else { Sight::Waiting(record) }
            } else if proved || !late {
                Sight::Gone
            } else {
                Sight::Missing { stamp: self.noted.contains(&position) }
            };
            stragglers.push(Straggler { position, attempts, sight });
        } else {
            let (ripe, dead) = (row.ripe.unwrap_or(false), row.dead.unwrap_or(false));
            fresh.push(Fresh { record: self.record(row).ok_or_else(damaged)?, ripe, dead });
        }
        Ok(())
    }

    fn record(&self, row: SeenRow) -> Option<OutboxRecord> {
        Some(OutboxRecord {
            lane: self.lane,
            position: row.position,
            event_id: EventId::new(row.event_id?),
            order_id: OrderId::new(row.order_id?),
            order_version: OrderVersion::try_from(row.order_version?).ok()?,
            event_type: row.event_type?,
            schema_fingerprint: row.schema_fingerprint?,
            payload: row.payload?,
            headers: row.headers?.0.into_iter().collect(),
            occurred_at: row.occurred_at?.into(),
        })
    }
}
