//! What a relay has in its hands: locked lanes, and the records to be published.

use std::ops::Range;

use adapter_postgres::timeouts::in_time;
use adapter_postgres::{PgError, storable};
use application::StoreError;
use application::relay::{Claim, OutboxRecord, Verdict};
use sqlx::types::Uuid;
use sqlx::{Postgres, Transaction};

use super::gap::GapChange;
use super::plan::Plan;
use super::settlement::{Note, Settlement};

/// Records of some lanes that are this relay's until it settles them.
///
/// It is a transaction that holds the lanes' rows locked. Dropped, or cut off from the database, it
/// is rolled back and the lanes are free again.
#[derive(Debug)]
pub struct PgClaim {
    transaction: Transaction<'static, Postgres>,
    shares: Vec<Share>,
    /// The records of all shares, one share after the other.
    records: Vec<OutboxRecord>,
    more_may_be_due: bool,
}

/// What a claim does in one lane.
#[derive(Debug)]
struct Share {
    lane: i16,
    plan: Plan,
    /// Which of the claim's records are this lane's.
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
        Ok(in_time(self.write(verdicts)).await?)
    }
}

impl PgClaim {
    /// A claim that does what is planned for each lane.
    pub(super) fn of(
        transaction: Transaction<'static, Postgres>,
        plans: impl IntoIterator<Item = (i16, Plan)>,
        more_may_be_due: bool,
    ) -> Self {
        let mut records = Vec::new();
        let share = |(lane, mut plan): (i16, Plan)| {
            let begin = records.len();
            records.append(&mut plan.records);
            Share { lane, plan, records: begin..records.len() }
        };
        let shares = plans.into_iter().map(share).collect();
        Self { transaction, shares, records, more_may_be_due }
    }

    /// Whether it moves a cursor even if nothing is published.
    pub(super) fn advances(&self) -> bool {
        self.shares.iter().any(|share| share.plan.frontier > share.plan.through)
    }

    /// The session that holds the lanes.
    pub fn connection(&mut self) -> &mut sqlx::PgConnection {
        &mut self.transaction
    }

    /// Writes down what became of the records and gives the lanes free.
    pub(super) async fn write(mut self, verdicts: &[Verdict]) -> Result<(), PgError> {
        let publishes = !self.records.is_empty();
        let (mut lanes, mut cursors) = (Vec::new(), Vec::new());
        for Share { lane, plan, records } in std::mem::take(&mut self.shares) {
            let to = records.end.min(verdicts.len());
            let verdicts = verdicts.get(records.start..to).unwrap_or_default();
            let settlement = Settlement::of(&plan, &self.records[records.clone()], verdicts);
            // Every lane of a claim that had records goes to the end of the queue, even one of which
            // nothing was published: what keeps its events need not be what keeps those of others.
            if publishes || !settlement.is_empty(&plan) {
                self.note_down(lane, &settlement, records).await?;
                lanes.push(lane);
                cursors.push(settlement.through);
            }
        }
        if lanes.is_empty() {
            return Ok(self.transaction.rollback().await?);
        }
        let query = "
            UPDATE outbox_lanes AS l
            SET through = settled.through, settled_at = clock_timestamp()
            FROM unnest($1::smallint[], $2::bigint[]) AS settled (lane, through)
            WHERE l.lane = settled.lane";
        let query = sqlx::query(query).bind(lanes).bind(cursors);
        query.execute(&mut *self.transaction).await?;
        Ok(self.transaction.commit().await?)
    }

    /// Writes down what is to be known of a lane besides its cursor.
    async fn note_down(
        &mut self,
        lane: i16,
        settlement: &Settlement,
        records: Range<usize>,
    ) -> Result<(), PgError> {
        if !settlement.dead.is_empty() {
            self.bury(lane, &settlement.dead, records).await?;
        }
        if !settlement.resolved.is_empty() {
            self.resolve(lane, &settlement.resolved).await?;
        }
        if !settlement.stamped.is_empty() {
            self.stamp(lane, &settlement.stamped).await?;
        }
        if !settlement.noted.is_empty() {
            self.note(lane, &settlement.noted).await?;
        }
        if !settlement.gaps.is_empty() {
            self.change_gaps(lane, &settlement.gaps).await?;
        }
        if !settlement.opened.is_empty() {
            self.open_gaps(lane, &settlement.opened).await?;
        }
        Ok(())
    }

    async fn bury(
        &mut self,
        lane: i16,
        dead: &[(usize, String)],
        records: Range<usize>,
    ) -> Result<(), PgError> {
        let query = "
            INSERT INTO outbox_dead_letters
                (lane, position, event_id, order_id, order_version, event_type, reason)
            SELECT $1, letter.* FROM unnest($2::bigint[], $3::uuid[], $4::uuid[], $5::bigint[],
                                            $6::text[], $7::text[]) AS letter";
        let records: Vec<&OutboxRecord> =
            dead.iter().map(|(index, _)| &self.records[records.start + index]).collect();
        sqlx::query(query)
            .bind(lane)
            .bind(records.iter().map(|record| record.position).collect::<Vec<i64>>())
            .bind(records.iter().map(|record| record.event_id.get()).collect::<Vec<Uuid>>())
            .bind(records.iter().map(|record| record.aggregate_id).collect::<Vec<Uuid>>())
            .bind(records.iter().map(|record| record.aggregate_version).collect::<Vec<i64>>())
            .bind(records.iter().map(|record| record.event_type.clone()).collect::<Vec<String>>())
            .bind(dead.iter().map(|(_, why)| storable(why)).collect::<Vec<String>>())
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    async fn resolve(&mut self, lane: i16, positions: &[i64]) -> Result<(), PgError> {
        let query = "DELETE FROM outbox_stragglers WHERE lane = $1 AND position = ANY ($2)";
        let query = sqlx::query(query).bind(lane).bind(positions);
        query.execute(&mut *self.transaction).await?;
        Ok(())
    }

    async fn stamp(&mut self, lane: i16, positions: &[i64]) -> Result<(), PgError> {
        let query = "UPDATE outbox_stragglers SET horizon = pg_current_xact_id()
                     WHERE lane = $1 AND position = ANY ($2)";
        let query = sqlx::query(query).bind(lane).bind(positions);
        query.execute(&mut *self.transaction).await?;
        Ok(())
    }

    async fn note(&mut self, lane: i16, notes: &[Note]) -> Result<(), PgError> {
        let query = "
            INSERT INTO outbox_stragglers AS known
                (lane, position, reason, order_id, attempts, retry_at, last_error)
            SELECT $1, position, reason, order_id, attempts,
                   clock_timestamp() + make_interval(secs => wait), last_error
            FROM unnest($2::bigint[], $3::text[], $4::uuid[], $5::integer[],
                        $6::double precision[], $7::text[])
                 AS note (position, reason, order_id, attempts, wait, last_error)
            ON CONFLICT (lane, position) DO UPDATE
            SET reason = EXCLUDED.reason, order_id = EXCLUDED.order_id, horizon = NULL,
                attempts = EXCLUDED.attempts, retry_at = EXCLUDED.retry_at,
                last_error = EXCLUDED.last_error";
        let errors = notes.iter().map(|note| note.last_error.as_deref().map(storable));
        let orders = notes.iter().map(|note| note.aggregate_id);
        sqlx::query(query)
            .bind(lane)
            .bind(notes.iter().map(|note| note.position).collect::<Vec<i64>>())
            .bind(notes.iter().map(|note| note.reason).collect::<Vec<&str>>())
            .bind(orders.collect::<Vec<Option<Uuid>>>())
            .bind(notes.iter().map(|note| note.attempts).collect::<Vec<i32>>())
            .bind(notes.iter().map(|note| note.wait.as_secs_f64()).collect::<Vec<f64>>())
            .bind(errors.collect::<Vec<Option<String>>>())
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    /// Puts what is left of gaps in their place. Each piece keeps what was known of the whole.
    async fn change_gaps(&mut self, lane: i16, gaps: &[GapChange]) -> Result<(), PgError> {
        let query = "
            WITH gone AS (
                DELETE FROM outbox_gaps WHERE lane = $1 AND first_position = ANY ($2)
                RETURNING first_position, horizon, noted_at)
            INSERT INTO outbox_gaps (lane, first_position, last_position, horizon, noted_at)
            SELECT $1, first, last, CASE WHEN stamp THEN pg_current_xact_id() ELSE horizon END, noted_at
            FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::boolean[])
                 AS piece (first_position, first, last, stamp)
            JOIN gone USING (first_position)";
        let pieces = gaps.iter().flat_map(|gap| {
            gap.pieces.iter().map(|&(first, last)| (gap.first, first, last, gap.stamp))
        });
        let pieces: Vec<(i64, i64, i64, bool)> = pieces.collect();
        sqlx::query(query)
            .bind(lane)
            .bind(gaps.iter().map(|gap| gap.first).collect::<Vec<i64>>())
            .bind(pieces.iter().map(|piece| piece.0).collect::<Vec<i64>>())
            .bind(pieces.iter().map(|piece| piece.1).collect::<Vec<i64>>())
            .bind(pieces.iter().map(|piece| piece.2).collect::<Vec<i64>>())
            .bind(pieces.iter().map(|piece| piece.3).collect::<Vec<bool>>())
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    async fn open_gaps(&mut self, lane: i16, gaps: &[(i64, i64)]) -> Result<(), PgError> {
        let query = "INSERT INTO outbox_gaps (lane, first_position, last_position)
                     SELECT $1, gap.* FROM unnest($2::bigint[], $3::bigint[]) AS gap";
        let (firsts, lasts): (Vec<i64>, Vec<i64>) = gaps.iter().copied().unzip();
        let query = sqlx::query(query).bind(lane).bind(firsts).bind(lasts);
        query.execute(&mut *self.transaction).await?;
        Ok(())
    }
}
