//! What a claim locks, and what it sees of it.

use std::collections::HashMap;

use adapter_postgres::PgError;
use application::StoreError;
use application::relay::OutboxRecord;
use chrono::{DateTime, Utc};
use domain::EventId;
use sqlx::types::{Json, Uuid};
use sqlx::{FromRow, Postgres, Transaction};

use super::gap::Gap;
use super::look::Lanes;
use super::plan::{Fresh, LaneSight, Room, Sight, Straggler};

/// Of these lanes, locks some that nobody has locked or worked on since, those that waited longest
/// first. This is the first statement of its transaction, so its snapshot is older than the
/// transaction's id: see the proof in the module's description for why it reads what is noted without a
/// horizon.
///
/// Whether a lane was worked on is asked of the snapshot alone. Were it asked of the locked row, one
/// that was settled in between would be locked and yet not answered, and lie idle.
///
/// A lane that was settled in the future, by a clock that was ahead, has waited longest: else it would
/// come last until that time.
const LOCK: &str = "
SELECT l.lane, l.through,
       ARRAY (SELECT s.position FROM outbox_stragglers AS s
              WHERE s.lane = l.lane AND s.reason = 'late'
                AND (s.horizon IS NULL OR s.horizon > pg_snapshot_xmax(pg_current_snapshot()))
       ) AS noted,
       ARRAY (SELECT g.first_position FROM outbox_gaps AS g
              WHERE g.lane = l.lane
                AND (g.horizon IS NULL OR g.horizon > pg_snapshot_xmax(pg_current_snapshot()))
              ORDER BY g.first_position) AS noted_firsts,
       ARRAY (SELECT g.last_position FROM outbox_gaps AS g
              WHERE g.lane = l.lane
                AND (g.horizon IS NULL OR g.horizon > pg_snapshot_xmax(pg_current_snapshot()))
              ORDER BY g.first_position) AS noted_lasts
FROM outbox_lanes AS l
WHERE l.lane IN (
    SELECT lane FROM outbox_lanes
    JOIN unnest($1::smallint[], $2::bigint[]) AS seen (lane, through) USING (lane, through))
ORDER BY CASE WHEN l.settled_at > now() + interval '1 minute' THEN '-infinity' ELSE l.settled_at END
LIMIT $3
FOR UPDATE OF l SKIP LOCKED";

/// The lanes' stragglers, their gaps, the rows that came in these, and the rows behind their cursors, in
/// one statement and so in one snapshot.
///
/// Of each lane and of each kind of row, `$3` at the most, and none beyond `$4` bytes of payloads.
/// Stragglers that there is no room for, or that are not due, come without their payload, since their
/// orders must be known. One that is to be tried again later than the longest wait allows is due: a
/// clock that was ahead noted it. One that waits behind another of its order takes no room. A row in a
/// gap that is a straggler or a dead letter is that alone.
const READ: &str = "
SELECT 'straggler' AS kind, lane, position, NULL::bigint AS last, attempts, late, proved, handed_out,
       NULL::boolean AS ripe, NULL::boolean AS dead,
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
                   o.event_id IS NOT NULL
                       AND (s.retry_at <= now() OR s.retry_at > now() + interval '6 minutes'
                            OR s.reason = 'late') AS due,
                   octet_length(o.payload) AS size,
                   o.event_id, o.order_id, o.order_version, o.event_type, o.schema_fingerprint,
                   o.payload, o.headers, o.occurred_at
            FROM outbox_stragglers AS s
            LEFT JOIN outbox AS o USING (lane, position)
            WHERE s.lane = ANY ($1)
        ) AS straggler
    ) AS straggler
    WINDOW earlier AS (PARTITION BY lane ORDER BY position
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
) AS straggler
UNION ALL
SELECT 'gap', lane, first_position, last_position, NULL, NULL,
       coalesce(horizon <= pg_snapshot_xmin(pg_current_snapshot()), false), NULL, NULL, NULL,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM outbox_gaps
WHERE lane = ANY ($1)
UNION ALL
SELECT 'arrival', lane, position, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
       event_id, order_id, order_version, event_type, schema_fingerprint, payload, headers, occurred_at
FROM (
    SELECT *, row_number() OVER (PARTITION BY lane ORDER BY position) AS number,
           sum(octet_length(payload)) OVER (PARTITION BY lane ORDER BY position
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM (
        SELECT o.*
        FROM unnest($1::smallint[], $2::bigint[]) AS l (lane, through)
        JOIN outbox_gaps AS g USING (lane)
        CROSS JOIN LATERAL (
            SELECT * FROM outbox AS o
            WHERE o.lane = g.lane
              AND o.position BETWEEN g.first_position AND least(g.last_position, l.through)
              AND NOT EXISTS (SELECT FROM outbox_stragglers AS s
                              WHERE s.lane = o.lane AND s.position = o.position)
              AND NOT EXISTS (SELECT FROM outbox_dead_letters AS d
                              WHERE d.lane = o.lane AND d.position = o.position)
            ORDER BY o.position LIMIT $3
        ) AS o
    ) AS arrival
) AS arrival
WHERE number <= $3 AND coalesce(before, 0) < $4
UNION ALL
SELECT 'fresh', o.lane, o.position, NULL, NULL, NULL, NULL, NULL,
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
        SELECT * FROM outbox AS o
        WHERE o.lane = l.lane AND o.position > l.through ORDER BY o.position LIMIT $3
    ) AS o
) AS o
LEFT JOIN outbox_dead_letters AS d ON d.lane = o.lane AND d.position = o.position
WHERE coalesce(o.before, 0) < $4";

/// A lane that this transaction has locked.
#[derive(Debug, FromRow)]
pub(super) struct LockedLane {
    pub(super) lane: i16,
    /// Its cursor, as it is now that nobody else can move it.
    pub(super) through: i64,
    /// Late stragglers without a horizon, noted before this transaction had an id.
    noted: Vec<i64>,
    /// The first position of each gap without a horizon, noted before as well.
    noted_firsts: Vec<i64>,
    /// The last position of each of these gaps.
    noted_lasts: Vec<i64>,
}

#[derive(Debug, FromRow)]
struct SeenRow {
    kind: String,
    lane: i16,
    position: i64,
    last: Option<i64>,
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

impl LockedLane {
    /// Whether all of these positions were noted, without a horizon, before this transaction had an id.
    fn noted_gap(&self, first: i64, last: i64) -> bool {
        let mut noted = self.noted_firsts.iter().zip(&self.noted_lasts);
        noted.any(|(&from, &to)| from <= first && last <= to)
    }

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
                row.sort_in(lane, sight)?;
            }
        }
        for LaneSight { stragglers, gaps, arrivals, fresh } in &mut sights {
            stragglers.sort_unstable_by_key(|straggler| straggler.position);
            gaps.sort_unstable_by_key(|gap| gap.first);
            arrivals.sort_unstable_by_key(|record| record.position);
            fresh.sort_unstable_by_key(|fresh| fresh.record.position);
        }
        Ok(sights)
    }
}

impl SeenRow {
    /// Puts the row where it belongs.
    fn sort_in(self, lane: &LockedLane, sight: &mut LaneSight) -> Result<(), StoreError> {
        let position = self.position;
        let damaged = DamagedRecord { lane: self.lane, position };
        let damaged = || StoreError::Broken(Box::new(damaged));
        match self.kind.as_str() {
            "straggler" => {
                let attempts = self.attempts.unwrap_or(0);
                let seen = self.straggler(&lane.noted).ok_or_else(damaged)?;
                sight.stragglers.push(Straggler { position, attempts, sight: seen });
            }
            "gap" => {
                let (last, proved) = self.last.zip(self.proved).ok_or_else(damaged)?;
                let stamp = lane.noted_gap(position, last);
                sight.gaps.push(Gap { first: position, last, proved, stamp });
            }
            "arrival" => sight.arrivals.push(self.record().ok_or_else(damaged)?),
            _ => {
                let (ripe, dead) = (self.ripe.unwrap_or(false), self.dead.unwrap_or(false));
                sight.fresh.push(Fresh { record: self.record().ok_or_else(damaged)?, ripe, dead });
            }
        }
        Ok(())
    }

    /// What there is to see of a straggler. `noted` are late positions that may be stamped.
    fn straggler(self, noted: &[i64]) -> Option<Sight> {
        let (position, late) = (self.position, self.late?);
        Some(if self.handed_out? {
            Sight::Due(self.record()?)
        } else if self.event_id.is_some() {
            Sight::Waiting(self.order_id?)
        } else if self.proved? || !late {
            Sight::Gone
        } else {
            Sight::Missing { stamp: noted.contains(&position) }
        })
    }

    fn record(self) -> Option<OutboxRecord> {
        Some(OutboxRecord {
            lane: self.lane,
            position: self.position,
            event_id: EventId::new(self.event_id?),
            aggregate_id: self.order_id?,
            aggregate_version: self.order_version.filter(|version| *version >= 1)?,
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
