//! What a claim locks, and what it sees of it.

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

/// Of these lanes, locks some that nobody has locked or worked on since, those that waited longest
/// first. This is the first statement of its transaction, so its snapshot is older than the
/// transaction's id: see the proof in the module's description for why `noted` is read here.
///
/// Whether a lane was worked on is asked of the snapshot alone. Were it asked of the locked row, one
/// that was settled in between would be locked and yet not answered, and lie idle.
///
/// A lane that was settled in the future, by a clock that was ahead, has waited longest: else it would
/// come last until that time.
const LOCK: &str = "
SELECT l.lane, l.through,
       ARRAY (SELECT s.position FROM ordering.outbox_stragglers AS s
              WHERE s.lane = l.lane AND s.reason = 'late'
                AND (s.horizon IS NULL OR s.horizon > pg_snapshot_xmax(pg_current_snapshot()))
       ) AS noted
FROM ordering.outbox_lanes AS l
WHERE l.lane IN (
    SELECT lane FROM ordering.outbox_lanes
    JOIN unnest($1::smallint[], $2::bigint[]) AS seen (lane, through) USING (lane, through))
ORDER BY CASE WHEN l.settled_at > now() + interval '1 minute' THEN '-infinity' ELSE l.settled_at END
LIMIT $3
FOR UPDATE OF l SKIP LOCKED";

/// The lanes' stragglers and the rows behind their cursors, in one statement and so in one snapshot.
/// There may be many stragglers that are not due, so their payloads are left out. One that is to be tried
/// again later than the longest wait allows is due: a clock that was ahead noted it.
const READ: &str = "
SELECT s.lane, s.position, s.attempts,
       s.retry_at <= now() OR s.retry_at > now() + interval '6 minutes' AS due,
       s.reason = 'late' AS late,
       coalesce(s.horizon <= pg_snapshot_xmin(pg_current_snapshot()), false) AS proved,
       NULL::boolean AS ripe, NULL::boolean AS dead,
       o.event_id, o.order_id, o.order_version, o.event_type, o.schema_fingerprint,
       CASE WHEN s.retry_at <= now() OR s.retry_at > now() + interval '6 minutes'
                 OR s.reason = 'late' THEN o.payload END AS payload,
       o.headers, o.occurred_at
FROM ordering.outbox_stragglers AS s
LEFT JOIN ordering.outbox AS o USING (lane, position)
WHERE s.lane = ANY ($1)
UNION ALL
SELECT o.lane, o.position, NULL, NULL, NULL, NULL,
       o.recorded_at <= now() - interval '50 milliseconds'
           OR o.recorded_at > now() + interval '1 second',
       d.position IS NOT NULL,
       o.event_id, o.order_id, o.order_version, o.event_type, o.schema_fingerprint, o.payload,
       o.headers, o.occurred_at
FROM unnest($1::smallint[], $2::bigint[]) AS l (lane, through)
CROSS JOIN LATERAL (
    SELECT * FROM ordering.outbox AS o
    WHERE o.lane = l.lane AND o.position > l.through ORDER BY o.position LIMIT $3
) AS o
LEFT JOIN ordering.outbox_dead_letters AS d ON d.lane = o.lane AND d.position = o.position";

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
    lane: i16,
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

/// What there is to see of a lane.
#[derive(Debug, Default)]
pub(super) struct LaneSight {
    /// Its stragglers, by position.
    pub(super) stragglers: Vec<Straggler>,
    /// The rows behind its cursor, by position.
    pub(super) fresh: Vec<Fresh>,
}

impl LockedLane {
    /// Locks up to `most` of these lanes.
    pub(super) async fn lock(
        transaction: &mut Transaction<'static, Postgres>,
        seen: &Lanes,
        most: usize,
    ) -> Result<Vec<Self>, PgError> {
        let (lanes, cursors): (Vec<i16>, Vec<i64>) = seen.iter().copied().unzip();
        let query = sqlx::query_as(LOCK).bind(lanes).bind(cursors).bind(sql_limit(most));
        Ok(query.fetch_all(&mut **transaction).await?)
    }

    /// Reads the lanes: of each its stragglers, and up to `limit` rows behind its cursor.
    pub(super) async fn read(
        lanes: &[Self],
        transaction: &mut Transaction<'static, Postgres>,
        limit: usize,
    ) -> Result<Vec<LaneSight>, StoreError> {
        let rows: Vec<SeenRow> = sqlx::query_as(READ)
            .bind(lanes.iter().map(|lane| lane.lane).collect::<Vec<_>>())
            .bind(lanes.iter().map(|lane| lane.through).collect::<Vec<_>>())
            .bind(sql_limit(limit))
            .fetch_all(&mut **transaction)
            .await
            .map_err(PgError::from)?;
        let mut sights: Vec<LaneSight> = lanes.iter().map(|_| LaneSight::default()).collect();
        for row in rows {
            let of = lanes.iter().zip(&mut sights).find(|(lane, _)| lane.lane == row.lane);
            if let Some((lane, sight)) = of {
                row.sort_in(&lane.noted, sight)?;
            }
        }
        for LaneSight { stragglers, fresh } in &mut sights {
            stragglers.sort_unstable_by_key(|straggler| straggler.position);
            fresh.sort_unstable_by_key(|fresh| fresh.record.position);
        }
        Ok(sights)
    }
}

impl SeenRow {
    /// Puts the row where it belongs. `noted` are late positions that may be stamped.
    fn sort_in(self, noted: &[i64], sight: &mut LaneSight) -> Result<(), StoreError> {
        let damaged = DamagedRecord { lane: self.lane, position: self.position };
        let damaged = || StoreError::Broken(Box::new(damaged));
        if let (Some(attempts), Some(due), Some(late), Some(proved)) =
            (self.attempts, self.due, self.late, self.proved)
        {
            let position = self.position;
            let seen = if self.event_id.is_some() && (due || late) {
                Sight::Due(self.record().ok_or_else(damaged)?)
            } else if self.event_id.is_some() {
                Sight::Waiting(OrderId::new(self.order_id.ok_or_else(damaged)?))
            } else if proved || !late {
                Sight::Gone
            } else {
                Sight::Missing { stamp: noted.contains(&position) }
            };
            sight.stragglers.push(Straggler { position, attempts, sight: seen });
        } else {
            let (ripe, dead) = (self.ripe.unwrap_or(false), self.dead.unwrap_or(false));
            sight.fresh.push(Fresh { record: self.record().ok_or_else(damaged)?, ripe, dead });
        }
        Ok(())
    }

    fn record(self) -> Option<OutboxRecord> {
        Some(OutboxRecord {
            lane: self.lane,
            position: self.position,
            event_id: EventId::new(self.event_id?),
            order_id: OrderId::new(self.order_id?),
            order_version: OrderVersion::try_from(self.order_version?).ok()?,
            event_type: self.event_type?,
            schema_fingerprint: self.schema_fingerprint?,
            payload: self.payload?,
            headers: self.headers?.0.into_iter().collect(),
            occurred_at: self.occurred_at?.into(),
        })
    }
}

fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
