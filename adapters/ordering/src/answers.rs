use adapter_postgres::{Database, PgError};
use application::StoreError;
use application::ordering::Answers;
use domain::Timestamp;
use sqlx::PgPool;

/// The stored answers to repeated requests, in Postgres.
#[derive(Debug, Clone)]
pub(super) struct PgAnswers {
    pool: PgPool,
}

impl PgAnswers {
    pub(super) fn new(database: &Database) -> Self {
        Self { pool: database.pool().clone() }
    }
}

impl Answers for PgAnswers {
    /// A time in the future was stored while the clock was ahead. It is set to now; otherwise the answer
    /// would never be old.
    async fn delete_before(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        loop {
            let dated = sqlx::query!(
                "UPDATE causes SET answered_at = now() WHERE (kind, key) IN (
                     SELECT kind, key FROM causes
                     WHERE answered_at > now() + interval '1 day' LIMIT $1)",
                limit
            );
            let dated = dated.execute(&self.pool).await.map_err(PgError::from)?;
            if dated.rows_affected() == 0 {
                break;
            }
        }
        let deleted = sqlx::query!(
            "DELETE FROM causes WHERE (kind, key) IN (
                 SELECT kind, key FROM causes
                 WHERE answered_at < $1 ORDER BY answered_at LIMIT $2)",
            before.get(),
            limit
        );
        Ok(deleted.execute(&self.pool).await.map_err(PgError::from)?.rows_affected())
    }
}
