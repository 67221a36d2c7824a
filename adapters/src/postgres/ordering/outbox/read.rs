//! What a claim locks, and what it sees of it.

use std::collections::HashMap;

use application::StoreError;
use application::relay::OutboxRecord;
use chrono::{DateTime, Utc};
use domain::{EventId, OrderId, OrderVersion};
use sqlx::types::{Json, Uuid};
use sqlx::{FromRow, Postgres, Transaction};

use super::look::Lanes;
use super::plan::{Fresh, Room, Sight, Straggler};
use crate::postgres::PgError;

/// Of these lanes, locks some that nobody has locked or worked on since, those that waited longest
/// first. This is the first statement of its transaction, so its snapshot is older than the
/// transaction's id: see the proof in the module's description for why `noted` is read here.
///
/// Whether a lane was worked on is asked of the snapshot alone. Were it asked of the locked row, one
/// that was settled in between would be locked and yet not answered, and lie idle.
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
ORDER BY l.settled_at
LIMIT $3
FOR UPDATE OF l SKIP LOCKED";

/// The lanes' stragglers and the rows behind their cursors, in one statement and so in one snapshot.
///
/// Of each lane, `$3` rows at the most, and none beyond `$4` bytes of payloads. Stragglers that there is no room for,
/// or that are not due, come without their payload, since their orders must be known. One that waits
/// behind another of its order takes no room.
const READ: &str = "
SELECT lane, position, attempts, late, proved, handed_out, NULL::boolean AS ripe, NULL::boolean AS dead,
       event_id, order_id, order_version, event_type, schema_fingerprint,
       CASE WHEN handed_out THEN payload END AS payload, headers, occurred_at
FROM (
    SELECT *, coalesce(due AND NOT blocked AND count(*) FILTER (WHERE due AND NOT blocked) OVER earlier < $3
                       AND coalesce(sum(size) FILTER (WHERE due AND NOT blocked) OVER earlier, 0) < $4,
                       false) AS handed_out
    FROM (
        SELECT *, coalesce(bool_or(NOT due) OVER (PARTITION BY lane, order_id ORDER BY position
                           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false) AS blocked
        FROM (
            SELECT s.lane, s.position, s.attempts, s.reason = 'late' AS late,
                   coalesce(s.horizon <= pg_snapshot_xmin(pg_current_snapshot()), false) AS proved,
                   o.event_id IS NOT NULL AND (s.retry_at <= now() OR s.reason = 'late') AS due,
                   octet_length(o.payload) AS size,
                   o.event_id, o.order_id, o.order_version, o.event_type, o.schema_fingerprint,
                   o.payload, o.headers, o.occurred_at
            FROM ordering.outbox_stragglers AS s
            LEFT JOIN ordering.outbox AS o USING (lane, position)
            WHERE s.lane = ANY ($1)
        ) AS straggler
    ) AS straggler
    WINDOW earlier AS (PARTITION BY lane ORDER BY position
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
) AS straggler
UNION ALL
SELECT o.lane, o.position, NULL, NULL, NULL, NULL,
       o.recorded_at <= now() - interval '50 milliseconds'
           OR o.recorded_at > now() + interval '1 second',
       d.position IS NOT NULL,
       o.event_id, o.order_id, o.order_version, o.event_type, o.schema_fingerprint, o.payload,
       o.headers, o.occurred_at
FROM unnest($1::smallint[], $2::bigint[]) AS l (lane, through)
CROSS JOIN LATERAL (
    SELECT *, sum(octet_length(o.payload)) OVER (
                  ORDER BY o.position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM (
        SELECT * FROM ordering.outbox AS o
        WHERE o.lane = l.lane AND o.position > l.through ORDER BY o.position LIMIT $3
    ) AS o
) AS o
LEFT JOIN ordering.outbox_dead_letters AS d ON d.lane = o.lane AND d.position = o.position
WHERE coalesce(o.before, 0) < $4";

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
    late: Option<bool>,
    proved: Option<bool>,
    handed_out: Option<bool>,
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

impl LaneSight {
    /// Whether there may be more behind the cursor than there was room for.
    pub(super) fn fills(&self, room: Room) -> bool {
        let bytes = self.fresh.iter().map(|fresh| fresh.record.payload.len()).sum();
        room.is_taken(self.fresh.len(), bytes)
    }
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

    /// Reads the lanes: of each its stragglers, and the rows behind its cursor that there is room for.
    pub(super) async fn read(
        lanes: &[Self],
        transaction: &mut Transaction<'static, Postgres>,
        room: Room,
    ) -> Result<Vec<LaneSight>, StoreError> {
        let rows: Vec<SeenRow> = sqlx::query_as(READ)
            .bind(lanes.iter().map(|lane| lane.lane).collect::<Vec<_>>())
            .bind(lanes.iter().map(|lane| lane.through).collect::<Vec<_>>())
            .bind(sql_limit(room.records))
            .bind(sql_limit(room.bytes))
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
        if let (Some(attempts), Some(late), Some(proved), Some(handed_out)) =
            (self.attempts, self.late, self.proved, self.handed_out)
        {
            let position = self.position;
            let seen = if handed_out {
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
