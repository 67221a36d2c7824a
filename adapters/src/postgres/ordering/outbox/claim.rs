use application::StoreError;
use application::relay::{Claim, OutboxRecord, Verdict};
use sqlx::types::Uuid;
use sqlx::{Postgres, Transaction};

use super::plan::Plan;
use super::settlement::{Note, Settlement};
use crate::postgres::PgError;

/// Records of one lane that are this relay's until it settles them.
///
/// It is a transaction that holds the lane's row locked. Dropped, or cut off from the database, it
/// is rolled back and the lane is free again.
#[derive(Debug)]
pub struct PgClaim {
    pub(super) transaction: Transaction<'static, Postgres>,
    pub(super) lane: i16,
    pub(super) plan: Plan,
}

impl Claim for PgClaim {
    fn records(&self) -> &[OutboxRecord] {
        &self.plan.records
    }

    async fn settle(self, verdicts: &[Verdict]) -> Result<(), StoreError> {
        let settlement = Settlement::of(&self.plan, verdicts);
        Ok(self.write(settlement).await?)
    }
}

impl PgClaim {
    /// The session that holds the lane.
    #[cfg(test)]
    pub(in crate::postgres::ordering) fn connection(&mut self) -> &mut sqlx::PgConnection {
        &mut self.transaction
    }

    /// Writes down what became of the records and gives the lane free.
    pub(super) async fn write(mut self, settlement: Settlement) -> Result<(), PgError> {
        if settlement.is_empty(&self.plan) && self.plan.records.is_empty() {
            return Ok(self.transaction.rollback().await?);
        }
        // Even if nothing was published the lane goes to the end of the queue: what keeps its
        // events from being published need not be what keeps those of the others.
        if !settlement.dead.is_empty() {
            self.bury(&settlement.dead).await?;
        }
        if !settlement.resolved.is_empty() {
            self.resolve(&settlement.resolved).await?;
        }
        if !settlement.stamped.is_empty() {
            self.stamp(&settlement.stamped).await?;
        }
        if !settlement.noted.is_empty() {
            self.note(&settlement.noted).await?;
        }
        let query = "UPDATE ordering.outbox_lanes SET through = $2, settled_at = clock_timestamp()
                     WHERE lane = $1";
        sqlx::query(query)
            .bind(self.lane)
            .bind(settlement.through)
            .execute(&mut *self.transaction)
            .await?;
        Ok(self.transaction.commit().await?)
    }

    async fn bury(&mut self, dead: &[(usize, String)]) -> Result<(), PgError> {
        let query = "
            INSERT INTO ordering.outbox_dead_letters
                (lane, position, event_id, order_id, order_version, event_type, reason)
            SELECT $1, letter.* FROM unnest($2::bigint[], $3::uuid[], $4::uuid[], $5::bigint[],
                                            $6::text[], $7::text[]) AS letter";
        let records: Vec<&OutboxRecord> =
            dead.iter().map(|(index, _)| &self.plan.records[*index]).collect();
        sqlx::query(query)
            .bind(self.lane)
            .bind(records.iter().map(|record| record.position).collect::<Vec<i64>>())
            .bind(records.iter().map(|record| record.event_id.get()).collect::<Vec<Uuid>>())
            .bind(records.iter().map(|record| record.order_id.get()).collect::<Vec<Uuid>>())
            .bind(records.iter().map(|record| record.order_version.get()).collect::<Vec<i64>>())
            .bind(records.iter().map(|record| record.event_type.clone()).collect::<Vec<String>>())
            .bind(dead.iter().map(|(_, why)| text(why)).collect::<Vec<String>>())
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    async fn resolve(&mut self, positions: &[i64]) -> Result<(), PgError> {
        let query =
            "DELETE FROM ordering.outbox_stragglers WHERE lane = $1 AND position = ANY ($2)";
        let query = sqlx::query(query).bind(self.lane).bind(positions);
        query.execute(&mut *self.transaction).await?;
        Ok(())
    }

    async fn stamp(&mut self, positions: &[i64]) -> Result<(), PgError> {
        let query = "UPDATE ordering.outbox_stragglers SET horizon = pg_current_xact_id()
                     WHERE lane = $1 AND position = ANY ($2)";
        let query = sqlx::query(query).bind(self.lane).bind(positions);
        query.execute(&mut *self.transaction).await?;
        Ok(())
    }

    async fn note(&mut self, notes: &[Note]) -> Result<(), PgError> {
        let query = "
            INSERT INTO ordering.outbox_stragglers AS known
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
        let errors = notes.iter().map(|note| note.last_error.as_deref().map(text));
        let orders = notes.iter().map(|note| note.order_id.map(domain::OrderId::get));
        sqlx::query(query)
            .bind(self.lane)
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
}

/// What Postgres can keep as text: anything but the character 0.
fn text(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
