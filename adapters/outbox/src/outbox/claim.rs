//! A claim: locked lanes, the records to publish, and the changes to store when it ends.

use std::ops::Range;

use adapter_postgres::timeouts::in_time;
use adapter_postgres::{KeptSession, PgError, storable};
use application::StoreError;
use application::relay::{Claim, OutboxRecord, Verdict};

use super::gap::GapChange;
use super::lanes_per_claim::LanesPerClaim;
use super::plan::LanePlan;
use super::roll_back;
use super::settlement::{Settlement, StragglerRow};

/// Records of some lanes that this relay has claimed.
///
/// A claim is an open transaction that holds the rows of its lanes locked, so no other relay can
/// claim them. If it is dropped or loses its connection, the session ends, so the transaction is rolled
/// back and the lanes are released.
#[derive(Debug)]
pub struct PgClaim {
    session: KeptSession,
    lanes: Vec<ClaimedLane>,
    /// The records of all lanes, one lane after the other.
    records: Vec<OutboxRecord>,
    more_may_be_due: bool,
    lanes_per_claim: LanesPerClaim,
}

/// One lane of a claim.
#[derive(Debug)]
struct ClaimedLane {
    lane: i16,
    plan: LanePlan,
    /// The lane's part of [`PgClaim::records`].
    records: Range<usize>,
}

impl Claim for PgClaim {
    fn records(&self) -> &[OutboxRecord] {
        &self.records
    }

    fn more_may_be_due(&self) -> bool {
        self.more_may_be_due
    }

    async fn settle(self, verdicts: &[Verdict]) -> Result<(), StoreError> {
        if verdicts.contains(&Verdict::Unsent) {
            self.lanes_per_claim.note_unsent();
        }
        in_time(self.write(verdicts)).await?.keep();
        Ok(())
    }
}

impl PgClaim {
    /// A claim with a plan for each of its lanes.
    pub(super) fn new(
        session: KeptSession,
        plans: impl IntoIterator<Item = (i16, LanePlan)>,
        more_may_be_due: bool,
        lanes_per_claim: LanesPerClaim,
    ) -> Self {
        let mut records = Vec::new();
        let claimed_lane = |(lane, mut plan): (i16, LanePlan)| {
            let begin = records.len();
            records.append(&mut plan.records);
            ClaimedLane { lane, plan, records: begin..records.len() }
        };
        let lanes = plans.into_iter().map(claimed_lane).collect();
        Self { session, lanes, records, more_may_be_due, lanes_per_claim }
    }

    /// Whether the claim moves the cursor of a lane even if nothing is published.
    pub(super) fn moves_a_cursor(&self) -> bool {
        self.lanes.iter().any(|lane| lane.plan.target > lane.plan.through)
    }

    /// The session that holds the lanes locked.
    pub fn connection(&mut self) -> &mut sqlx::PgConnection {
        &mut self.session
    }

    /// Stores the results of the records and releases the lanes. Returns the session.
    pub(super) async fn write(mut self, verdicts: &[Verdict]) -> Result<KeptSession, PgError> {
        let has_records = !self.records.is_empty();
        let (mut lanes, mut cursors) = (Vec::new(), Vec::new());
        for ClaimedLane { lane, plan, records } in std::mem::take(&mut self.lanes) {
            let to = records.end.min(verdicts.len());
            let verdicts = verdicts.get(records.start..to).unwrap_or_default();
            let settlement = Settlement::new(&plan, &self.records[records.clone()], verdicts);
            // Lanes are claimed in the order of `settled_at`. It is updated for every lane of a
            // claim with records, even if nothing of the lane was published. So other lanes come
            // first next time: the problem of this lane may not be theirs.
            if has_records || !settlement.is_empty(&plan) {
                self.write_lane(lane, &settlement, records).await?;
                lanes.push(lane);
                cursors.push(settlement.through);
            }
        }
        if lanes.is_empty() {
            roll_back(&mut self.session).await?;
            return Ok(self.session);
        }
        let settle = sqlx::query!(
            "
            UPDATE outbox_lanes AS l
            SET through = settled.through, settled_at = clock_timestamp()
            FROM unnest($1::smallint[], $2::bigint[]) AS settled (lane, through)
            WHERE l.lane = settled.lane",
            &lanes[..],
            &cursors[..]
        );
        settle.execute(&mut *self.session).await?;
        sqlx::raw_sql("COMMIT").execute(&mut *self.session).await?;
        Ok(self.session)
    }

    /// Stores the changes of a lane, except for its cursor.
    async fn write_lane(
        &mut self,
        lane: i16,
        settlement: &Settlement,
        records: Range<usize>,
    ) -> Result<(), PgError> {
        if !settlement.dead.is_empty() {
            self.insert_dead_letters(lane, &settlement.dead, records).await?;
        }
        if !settlement.deleted.is_empty() {
            self.delete_stragglers(lane, &settlement.deleted).await?;
        }
        if !settlement.set_horizon.is_empty() {
            self.set_horizons(lane, &settlement.set_horizon).await?;
        }
        if !settlement.stragglers.is_empty() {
            self.write_stragglers(lane, &settlement.stragglers).await?;
        }
        if !settlement.gap_changes.is_empty() {
            self.replace_gaps(lane, &settlement.gap_changes).await?;
        }
        if !settlement.new_gaps.is_empty() {
            self.insert_gaps(lane, &settlement.new_gaps).await?;
        }
        Ok(())
    }

    async fn insert_dead_letters(
        &mut self,
        lane: i16,
        dead: &[(usize, String)],
        records: Range<usize>,
    ) -> Result<(), PgError> {
        let records: Vec<&OutboxRecord> =
            dead.iter().map(|(index, _)| &self.records[records.start + index]).collect();
        let insert = sqlx::query!(
            "
            INSERT INTO outbox_dead_letters
                (lane, position, event_id, order_id, order_version, event_type, reason)
            SELECT $1, letter.* FROM unnest($2::bigint[], $3::uuid[], $4::uuid[], $5::bigint[],
                                            $6::text[], $7::text[]) AS letter",
            lane,
            &records.iter().map(|record| record.position).collect::<Vec<_>>()[..],
            &records.iter().map(|record| record.event_id.get()).collect::<Vec<_>>()[..],
            &records.iter().map(|record| record.aggregate_id).collect::<Vec<_>>()[..],
            &records.iter().map(|record| record.aggregate_version).collect::<Vec<_>>()[..],
            &records.iter().map(|record| record.event_type.clone()).collect::<Vec<_>>()[..],
            &dead.iter().map(|(_, why)| storable(why)).collect::<Vec<_>>()[..]
        );
        insert.execute(&mut *self.session).await?;
        Ok(())
    }

    async fn delete_stragglers(&mut self, lane: i16, positions: &[i64]) -> Result<(), PgError> {
        let delete = sqlx::query!(
            "DELETE FROM outbox_stragglers WHERE lane = $1 AND position = ANY ($2)",
            lane,
            positions
        );
        delete.execute(&mut *self.session).await?;
        Ok(())
    }

    async fn set_horizons(&mut self, lane: i16, positions: &[i64]) -> Result<(), PgError> {
        let update = sqlx::query!(
            "UPDATE outbox_stragglers SET horizon = pg_current_xact_id()
             WHERE lane = $1 AND position = ANY ($2)",
            lane,
            positions
        );
        update.execute(&mut *self.session).await?;
        Ok(())
    }

    async fn write_stragglers(&mut self, lane: i16, rows: &[StragglerRow]) -> Result<(), PgError> {
        let errors = rows.iter().map(|row| row.last_error.as_deref().map(storable));
        let write = sqlx::query!(
            "
            INSERT INTO outbox_stragglers
                (lane, position, reason, order_id, attempts, retry_at, last_error)
            SELECT $1, position, reason, order_id, attempts,
                   clock_timestamp() + make_interval(secs => delay), last_error
            FROM unnest($2::bigint[], $3::text[], $4::uuid[], $5::integer[],
                        $6::double precision[], $7::text[])
                 AS straggler (position, reason, order_id, attempts, delay, last_error)
            ON CONFLICT (lane, position) DO UPDATE
            SET reason = EXCLUDED.reason, order_id = EXCLUDED.order_id, horizon = NULL,
                attempts = EXCLUDED.attempts, retry_at = EXCLUDED.retry_at,
                last_error = EXCLUDED.last_error",
            lane,
            &rows.iter().map(|row| row.position).collect::<Vec<_>>()[..],
            &rows.iter().map(|row| row.reason).collect::<Vec<_>>()[..] as _,
            &rows.iter().map(|row| row.aggregate_id).collect::<Vec<_>>()[..] as _,
            &rows.iter().map(|row| row.attempts).collect::<Vec<_>>()[..],
            &rows.iter().map(|row| row.delay.as_secs_f64()).collect::<Vec<_>>()[..],
            &errors.collect::<Vec<_>>()[..] as _
        );
        write.execute(&mut *self.session).await?;
        Ok(())
    }

    /// Replaces gaps by the ranges that remain of them. Each range keeps the horizon of its gap,
    /// unless this claim sets it.
    async fn replace_gaps(&mut self, lane: i16, gaps: &[GapChange]) -> Result<(), PgError> {
        let ranges = gaps.iter().flat_map(|gap| {
            gap.remaining.iter().map(|&(first, last)| (gap.first, first, last, gap.set_horizon))
        });
        let ranges: Vec<(i64, i64, i64, bool)> = ranges.collect();
        let replace = sqlx::query!(
            "
            WITH replaced AS (
                DELETE FROM outbox_gaps WHERE lane = $1 AND first_position = ANY ($2)
                RETURNING first_position, horizon, noted_at)
            INSERT INTO outbox_gaps (lane, first_position, last_position, horizon, noted_at)
            SELECT $1, first, last, CASE WHEN set_horizon THEN pg_current_xact_id() ELSE horizon END, noted_at
            FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::boolean[])
                 AS range (first_position, first, last, set_horizon)
            JOIN replaced USING (first_position)",
            lane,
            &gaps.iter().map(|gap| gap.first).collect::<Vec<_>>()[..],
            &ranges.iter().map(|range| range.0).collect::<Vec<_>>()[..],
            &ranges.iter().map(|range| range.1).collect::<Vec<_>>()[..],
            &ranges.iter().map(|range| range.2).collect::<Vec<_>>()[..],
            &ranges.iter().map(|range| range.3).collect::<Vec<_>>()[..]
        );
        replace.execute(&mut *self.session).await?;
        Ok(())
    }

    async fn insert_gaps(&mut self, lane: i16, gaps: &[(i64, i64)]) -> Result<(), PgError> {
        let (firsts, lasts): (Vec<i64>, Vec<i64>) = gaps.iter().copied().unzip();
        let insert = sqlx::query!(
            "INSERT INTO outbox_gaps (lane, first_position, last_position)
             SELECT $1, gap.* FROM unnest($2::bigint[], $3::bigint[]) AS gap",
            lane,
            &firsts[..],
            &lasts[..]
        );
        insert.execute(&mut *self.session).await?;
        Ok(())
    }
}
