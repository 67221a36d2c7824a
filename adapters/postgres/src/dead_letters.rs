//! Records that a context could not consume. They are kept with their bytes until an operator retries
//! or discards them.
//!
//! Each context has its own table `dead_letters`. The code is shared.

mod headers;
mod keep;
mod row;

use application::StoreError;
use application::dead_letters::{
    ConsumerDeadLetters, DeadLetterNumber, DeadLetterQuery, DeadLetters, KeptDeadLetter,
};
use application::published::RawRecord;
use domain::Timestamp;
use sqlx::PgPool;

pub use keep::keep;
pub use row::state;

use super::{Database, PgError, storable};
use row::DeadLetterRow;

/// The dead letters of one context, in Postgres. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PgDeadLetters {
    pool: PgPool,
}

impl PgDeadLetters {
    /// The dead letters of the context in this database.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        Self { pool: database.pool().clone() }
    }
}

impl DeadLetters for PgDeadLetters {
    type Id = DeadLetterNumber;
    type Content = RawRecord;

    async fn page(
        &self,
        query: DeadLetterQuery<'_, DeadLetterNumber>,
        limit: usize,
    ) -> Result<Vec<KeptDeadLetter<DeadLetterNumber, RawRecord>>, StoreError> {
        let rows: Vec<DeadLetterRow> = sqlx::query_as(
            "SELECT id, topic, topic_partition, topic_offset, key, value, reason, state, kept_at,
                    settled_at, timestamp_ms, headers
             FROM dead_letters
             WHERE state = $1 AND ($2::bigint IS NULL OR id > $2)
               AND ($3::text IS NULL OR position($3 IN reason) > 0)
               AND ($4::text IS NULL OR $4 = regexp_replace(
                       jsonb_path_query_first(headers, '$[*] ? (@.name == \"ce_type\")') ->> 'text',
                       '^.*\\.', ''))
             ORDER BY id LIMIT $5",
        )
        .bind(query.status.as_str())
        .bind(query.after.map(DeadLetterNumber::get))
        .bind(query.filter.reason().map(storable))
        .bind(query.filter.event_type().map(storable))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await
        .map_err(PgError::from)?;
        rows.into_iter().map(DeadLetterRow::into_kept).collect()
    }

    async fn find(
        &self,
        number: DeadLetterNumber,
    ) -> Result<Option<KeptDeadLetter<DeadLetterNumber, RawRecord>>, StoreError> {
        let row: Option<DeadLetterRow> = sqlx::query_as(
            "SELECT id, topic, topic_partition, topic_offset, key, value, reason, state, kept_at,
                    settled_at, timestamp_ms, headers
             FROM dead_letters WHERE id = $1",
        )
        .bind(number.get())
        .fetch_optional(&self.pool)
        .await
        .map_err(PgError::from)?;
        row.map(DeadLetterRow::into_kept).transpose()
    }

    async fn discard(
        &self,
        numbers: &[DeadLetterNumber],
    ) -> Result<Vec<DeadLetterNumber>, StoreError> {
        let discarded: Vec<i64> = sqlx::query_scalar(
            // Rows are locked in the order of their ids, so that two statements cannot deadlock.
            "UPDATE dead_letters SET state = 'discarded', settled_at = now()
             WHERE id IN (SELECT id FROM dead_letters WHERE id = ANY ($1) AND state = 'open'
                          ORDER BY id FOR UPDATE)
             RETURNING id",
        )
        .bind(numbers.iter().map(|number| number.get()).collect::<Vec<_>>())
        .fetch_all(&self.pool)
        .await
        .map_err(PgError::from)?;
        Ok(discarded.into_iter().map(DeadLetterNumber::new).collect())
    }

    async fn delete_settled(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        let deleted = sqlx::query(
            "DELETE FROM dead_letters WHERE id IN (
                 SELECT id FROM dead_letters WHERE state <> 'open' AND settled_at < $1 LIMIT $2)",
        )
        .bind(before.get())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .execute(&self.pool)
        .await
        .map_err(PgError::from)?;
        Ok(deleted.rows_affected())
    }
}

impl ConsumerDeadLetters for PgDeadLetters {
    async fn mark_retried(&self, number: DeadLetterNumber) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE dead_letters SET state = 'retried', settled_at = now()
             WHERE id = $1 AND state = 'open'",
        )
        .bind(number.get())
        .execute(&self.pool)
        .await
        .map_err(PgError::from)?;
        Ok(done.rows_affected() == 1)
    }

    async fn note_reason(&self, number: DeadLetterNumber, reason: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE dead_letters SET reason = $2 WHERE id = $1 AND state = 'open'")
            .bind(number.get())
            .bind(storable(reason))
            .execute(&self.pool)
            .await
            .map_err(PgError::from)?;
        Ok(())
    }
}
