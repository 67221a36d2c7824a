//! Records that a context could not consume. They are kept with their bytes until an operator retries
//! or discards them.
//!
//! Each context has its own table `<schema>.dead_letters`. The code is shared.

mod headers;
mod row;
mod statements;

use application::StoreError;
use application::dead_letters::{
    ConsumerDeadLetters, DeadLetterNumber, DeadLetterQuery, DeadLetters, KeptDeadLetter,
};
use application::published::RawRecord;
use domain::Timestamp;
use sqlx::PgPool;

pub use row::state;
pub use statements::Statements;

use super::{PgError, storable};
use row::DeadLetterRow;

/// The dead letters of one context, in Postgres. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PgDeadLetters {
    pool: PgPool,
    sql: &'static Statements,
}

impl PgDeadLetters {
    /// The dead letters in the table of these statements.
    #[must_use]
    pub const fn new(pool: PgPool, sql: &'static Statements) -> Self {
        Self { pool, sql }
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
        let rows: Vec<DeadLetterRow> = sqlx::query_as(self.sql.page)
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
        let row: Option<DeadLetterRow> = sqlx::query_as(self.sql.find)
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
        let discarded: Vec<i64> = sqlx::query_scalar(self.sql.discard)
            .bind(numbers.iter().map(|number| number.get()).collect::<Vec<_>>())
            .fetch_all(&self.pool)
            .await
            .map_err(PgError::from)?;
        Ok(discarded.into_iter().map(DeadLetterNumber::new).collect())
    }

    async fn delete_settled(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        let deleted = sqlx::query(self.sql.delete_settled)
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
        let done = sqlx::query(self.sql.mark_retried)
            .bind(number.get())
            .execute(&self.pool)
            .await
            .map_err(PgError::from)?;
        Ok(done.rows_affected() == 1)
    }

    async fn note_reason(&self, number: DeadLetterNumber, reason: &str) -> Result<(), StoreError> {
        sqlx::query(self.sql.note_reason)
            .bind(number.get())
            .bind(storable(reason))
            .execute(&self.pool)
            .await
            .map_err(PgError::from)?;
        Ok(())
    }
}
