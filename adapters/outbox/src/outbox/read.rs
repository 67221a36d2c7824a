//! Locks the lanes of a claim and reads their records.

use std::collections::HashMap;

use adapter_postgres::PgError;
use application::StoreError;
use application::relay::OutboxRecord;
use chrono::{DateTime, Utc};
use domain::EventId;
use sqlx::PgConnection;
use sqlx::types::{Json, Uuid};

use super::gap::Gap;
use super::lane_search::Lanes;
use super::plan::{LaneSnapshot, Limits, NewRecord, Straggler, StragglerState};

/// A lane that this transaction has locked.
#[derive(Debug)]
pub(super) struct LockedLane {
    pub(super) lane: i16,
    /// Its cursor. Nobody else can move it while the lane is locked.
    pub(super) through: i64,
    /// Late stragglers without a horizon that were recorded before this transaction had an id.
    late_without_horizon: Vec<i64>,
    /// The first position of each gap without a horizon that was recorded before that, too.
    gap_firsts: Vec<i64>,
    /// The last position of each of these gaps.
    gap_lasts: Vec<i64>,
}

/// A row that `read.sql` returns. Its `kind` decides which columns have a value.
#[derive(Debug)]
struct SnapshotRow {
    kind: String,
    lane: i16,
    position: i64,
    last: Option<i64>,
    attempts: Option<i32>,
    late: Option<bool>,
    proved: Option<bool>,
    in_claim: Option<bool>,
    may_skip_gap: Option<bool>,
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

/// A row of the outbox that no version of this program has written.
#[derive(Debug, thiserror::Error)]
#[error("the record at position {position} in lane {lane} of the outbox is invalid")]
struct DamagedRecord {
    lane: i16,
    position: i64,
}

impl LockedLane {
    /// Whether this claim may set the horizon of a gap: all its positions lie in one gap that had
    /// no horizon before this transaction had an id.
    fn may_set_gap_horizon(&self, first: i64, last: i64) -> bool {
        let mut gaps = self.gap_firsts.iter().zip(&self.gap_lasts);
        gaps.any(|(&from, &to)| from <= first && last <= to)
    }

    /// Locks up to `max` of the lanes that are not locked and still have the cursors that were found.
    /// Lanes that have waited longest come first.
    ///
    /// This is the first statement of its transaction, so its snapshot is older than the transaction's
    /// id. The proof in `outbox.rs` allows a claim to set its id as the horizon only where this
    /// snapshot shows none. So the statement also returns the late stragglers and the gaps without a
    /// horizon.
    ///
    /// The condition on the cursor is in a subquery, so that it is evaluated on the snapshot and not on
    /// the locked row. Otherwise a lane that was settled between the two would be locked but not
    /// returned, and nobody would work on it.
    ///
    /// A lane with a `settled_at` in the future was settled while the clock was ahead. It comes first;
    /// otherwise it would come last until that time.
    pub(super) async fn lock(
        session: &mut PgConnection,
        found: &Lanes,
        max: usize,
    ) -> Result<Vec<Self>, PgError> {
        let (lanes, cursors): (Vec<i16>, Vec<i64>) = found.iter().copied().unzip();
        let locked = sqlx::query_as!(
            Self,
            r#"
            SELECT l.lane, l.through,
                   ARRAY (SELECT s.position FROM outbox_stragglers AS s
                          WHERE s.lane = l.lane AND s.reason = 'late'
                            AND (s.horizon IS NULL OR s.horizon > pg_snapshot_xmax(pg_current_snapshot()))
                   ) AS "late_without_horizon!",
                   ARRAY (SELECT g.first_position FROM outbox_gaps AS g
                          WHERE g.lane = l.lane
                            AND (g.horizon IS NULL OR g.horizon > pg_snapshot_xmax(pg_current_snapshot()))
                          ORDER BY g.first_position) AS "gap_firsts!",
                   ARRAY (SELECT g.last_position FROM outbox_gaps AS g
                          WHERE g.lane = l.lane
                            AND (g.horizon IS NULL OR g.horizon > pg_snapshot_xmax(pg_current_snapshot()))
                          ORDER BY g.first_position) AS "gap_lasts!"
            FROM outbox_lanes AS l
            WHERE l.lane IN (
                SELECT lane FROM outbox_lanes
                JOIN unnest($1::smallint[], $2::bigint[]) AS found (lane, through) USING (lane, through))
            ORDER BY CASE WHEN l.settled_at > now() + interval '1 minute' THEN '-infinity' ELSE l.settled_at END
            LIMIT $3
            FOR UPDATE OF l SKIP LOCKED"#,
            &lanes[..],
            &cursors[..],
            sql_limit(max)
        );
        Ok(locked.fetch_all(&mut *session).await?)
    }

    /// Reads the stragglers and gaps of the lanes and, within the limits, the rows in the gaps and
    /// above the cursors. It is one statement, so that everything is read in one snapshot.
    ///
    /// The statement returns four kinds of rows: `straggler`, `gap`, `gap record` (a row in a gap) and
    /// `new` (a row above the cursor). `$1` are the lanes and `$2` their cursors. For each lane and
    /// each kind with payloads, it returns at most `$3` payloads and none after the total size has
    /// reached `$4` bytes.
    ///
    /// - Stragglers that exceed these limits, or are not due, are returned without a payload, because
    ///   the plan needs to know their aggregates. A straggler that waits for an earlier one of its
    ///   aggregate does not count towards the limits. A retry that is due in more than 6 minutes (the
    ///   longest delay plus one minute) was stored while the clock was ahead: it counts as due.
    /// - A row in a gap that is also a straggler or a dead letter is returned as that only.
    pub(super) async fn read(
        lanes: &[Self],
        session: &mut PgConnection,
        limits: Limits,
    ) -> Result<Vec<LaneSnapshot>, StoreError> {
        let numbers: Vec<i16> = lanes.iter().map(|lane| lane.lane).collect();
        let cursors: Vec<i64> = lanes.iter().map(|lane| lane.through).collect();
        let rows = sqlx::query_file_as!(
            SnapshotRow,
            "src/outbox/read.sql",
            &numbers[..],
            &cursors[..],
            sql_limit(limits.records),
            sql_limit(limits.bytes)
        );
        let rows = rows.fetch_all(&mut *session).await.map_err(PgError::from)?;
        let mut snapshots: Vec<LaneSnapshot> =
            lanes.iter().map(|_| LaneSnapshot::default()).collect();
        for row in rows {
            let lane = lanes.iter().zip(&mut snapshots).find(|(lane, _)| lane.lane == row.lane);
            if let Some((lane, snapshot)) = lane {
                row.add_to(snapshot, lane)?;
            }
        }
        for LaneSnapshot { stragglers, gaps, gap_records, new_records } in &mut snapshots {
            stragglers.sort_unstable_by_key(|straggler| straggler.position);
            gaps.sort_unstable_by_key(|gap| gap.first);
            gap_records.sort_unstable_by_key(|record| record.position);
            new_records.sort_unstable_by_key(|new| new.record.position);
        }
        Ok(snapshots)
    }
}

impl SnapshotRow {
    /// Adds the row to the snapshot of its lane.
    fn add_to(self, snapshot: &mut LaneSnapshot, lane: &LockedLane) -> Result<(), StoreError> {
        let position = self.position;
        let damaged = DamagedRecord { lane: self.lane, position };
        let damaged = || StoreError::Broken(Box::new(damaged));
        match self.kind.as_str() {
            "straggler" => {
                let attempts = self.attempts.unwrap_or(0);
                let state = self.straggler_state(&lane.late_without_horizon).ok_or_else(damaged)?;
                snapshot.stragglers.push(Straggler { position, attempts, state });
            }
            "gap" => {
                let (last, proved) = self.last.zip(self.proved).ok_or_else(damaged)?;
                let set_horizon = lane.may_set_gap_horizon(position, last);
                snapshot.gaps.push(Gap { first: position, last, proved, set_horizon });
            }
            "gap record" => snapshot.gap_records.push(self.record().ok_or_else(damaged)?),
            _ => {
                let may_skip_gap = self.may_skip_gap.unwrap_or(false);
                let dead = self.dead.unwrap_or(false);
                let record = self.record().ok_or_else(damaged)?;
                snapshot.new_records.push(NewRecord { record, may_skip_gap, dead });
            }
        }
        Ok(())
    }

    /// The state of a straggler. `late_without_horizon` are the positions whose horizon this claim
    /// may set.
    fn straggler_state(self, late_without_horizon: &[i64]) -> Option<StragglerState> {
        let (position, late) = (self.position, self.late?);
        Some(if self.in_claim? {
            StragglerState::Due(self.record()?)
        } else if self.event_id.is_some() {
            StragglerState::Waiting(self.order_id?)
        } else if self.proved? || !late {
            StragglerState::Gone
        } else {
            StragglerState::Missing { set_horizon: late_without_horizon.contains(&position) }
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
