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
use application::published::{DeadLetter, RawRecord};
use domain::Timestamp;
use sqlx::PgPool;
use sqlx::types::Json;

pub use keep::keep;
pub use row::state;

use super::timeouts::in_time;
use super::{Database, PgError, storable};
use headers::Header;
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

/// Selects dead letters. The text follows `FROM dead_letters`.
macro_rules! select {
    ($rest:literal, $($argument:expr),+) => {
        sqlx::query_as!(
            DeadLetterRow,
            r#"SELECT id, topic, topic_partition, topic_offset, key, value, reason, state, kept_at,
                      settled_at, timestamp_ms, headers AS "headers: Json<Vec<Header>>"
               FROM dead_letters "#
                + $rest,
            $($argument),+
        )
    };
}

impl DeadLetters for PgDeadLetters {
    type Id = DeadLetterNumber;
    type Content = RawRecord;

    async fn page(
        &self,
        query: DeadLetterQuery<'_, DeadLetterNumber>,
        limit: usize,
    ) -> Result<Vec<KeptDeadLetter<DeadLetterNumber, RawRecord>>, StoreError> {
        let rows = select!(
            r#"WHERE state = $1 AND ($2::bigint IS NULL OR id > $2)
                 AND ($3::text IS NULL OR position($3 IN reason) > 0)
                 AND ($4::text IS NULL OR $4 = regexp_replace(
                         jsonb_path_query_first(headers, '$[*] ? (@.name == "ce_type")') ->> 'text',
                         '^.*\.', ''))
               ORDER BY id LIMIT $5"#,
            query.status.as_str(),
            query.after.map(DeadLetterNumber::get),
            query.filter.reason().map(storable),
            query.filter.event_type().map(storable),
            i64::try_from(limit).unwrap_or(i64::MAX)
        );
        let rows = rows.fetch_all(&self.pool).await.map_err(PgError::from)?;
        rows.into_iter().map(DeadLetterRow::into_kept).collect()
    }

    async fn find(
        &self,
        number: DeadLetterNumber,
    ) -> Result<Option<KeptDeadLetter<DeadLetterNumber, RawRecord>>, StoreError> {
        let row = select!("WHERE id = $1", number.get());
        let row = row.fetch_optional(&self.pool).await.map_err(PgError::from)?;
        row.map(DeadLetterRow::into_kept).transpose()
    }

    async fn discard(
        &self,
        numbers: &[DeadLetterNumber],
    ) -> Result<Vec<DeadLetterNumber>, StoreError> {
        let numbers: Vec<i64> = numbers.iter().map(|number| number.get()).collect();
        // Rows are locked in the order of their ids, so that two statements cannot deadlock.
        let discard = sqlx::query_scalar!(
            "UPDATE dead_letters SET state = 'discarded', settled_at = now()
             WHERE id IN (SELECT id FROM dead_letters WHERE id = ANY ($1) AND state = 'open'
                          ORDER BY id FOR UPDATE)
             RETURNING id",
            &numbers
        );
        let discarded = discard.fetch_all(&self.pool).await.map_err(PgError::from)?;
        Ok(discarded.into_iter().map(DeadLetterNumber::new).collect())
    }

    async fn delete_settled(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        let delete = sqlx::query!(
            "DELETE FROM dead_letters WHERE id IN (
                 SELECT id FROM dead_letters WHERE state <> 'open' AND settled_at < $1 LIMIT $2)",
            before.get(),
            i64::try_from(limit).unwrap_or(i64::MAX)
        );
        let deleted = delete.execute(&self.pool).await.map_err(PgError::from)?;
        Ok(deleted.rows_affected())
    }
}

impl ConsumerDeadLetters for PgDeadLetters {
    async fn keep(&self, letters: &[DeadLetter]) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await.map_err(PgError::from)?;
        Ok(in_time(keep(&mut connection, letters)).await?)
    }

    async fn mark_retried(&self, number: DeadLetterNumber) -> Result<bool, StoreError> {
        let mark = sqlx::query!(
            "UPDATE dead_letters SET state = 'retried', settled_at = now()
             WHERE id = $1 AND state = 'open'",
            number.get()
        );
        let done = mark.execute(&self.pool).await.map_err(PgError::from)?;
        Ok(done.rows_affected() == 1)
    }

    async fn note_reason(&self, number: DeadLetterNumber, reason: &str) -> Result<(), StoreError> {
        let note = sqlx::query!(
            "UPDATE dead_letters SET reason = $2 WHERE id = $1 AND state = 'open'",
            number.get(),
            storable(reason) as _
        );
        note.execute(&self.pool).await.map_err(PgError::from)?;
        Ok(())
    }
}
