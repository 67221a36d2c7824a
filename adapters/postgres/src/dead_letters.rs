//! Records a context could not take in, kept with their bytes until somebody retries or discards
//! them.
//!
//! Each context has a table of its own, `<schema>.dead_letters`; what is done with it is the same.

mod command;
mod headers;
mod letter;
mod retry;
mod statements;

use application::StoreError;
use sqlx::PgPool;

pub use command::{CommandError, DeadLettersCommand};
pub use letter::{DeadLetterState, KeptDeadLetter};
pub use retry::{Retried, retry};
pub(super) use statements::{Statements, statements};

use super::{PgError, storable};
use letter::LetterRow;

/// The dead letters of one context, for the people who look after it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    pool: PgPool,
    sql: &'static Statements,
}

impl DeadLetters {
    pub(super) const fn new(pool: PgPool, sql: &'static Statements) -> Self {
        Self { pool, sql }
    }

    /// At most `limit` letters in this state whose number is greater than `after`, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(
        &self,
        state: DeadLetterState,
        after: i64,
        limit: u32,
    ) -> Result<Vec<KeptDeadLetter>, StoreError> {
        let rows: Vec<LetterRow> = sqlx::query_as(self.sql.list)
            .bind(state.as_str())
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(PgError::from)?;
        rows.into_iter().map(LetterRow::into_letter).collect()
    }

    /// The letter with this number.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find(&self, id: i64) -> Result<Option<KeptDeadLetter>, StoreError> {
        let row: Option<LetterRow> = sqlx::query_as(self.sql.find)
            .bind(id)
            .fetch_optional(&self.pool)
            .await
            .map_err(PgError::from)?;
        row.map(LetterRow::into_letter).transpose()
    }

    /// Discards an open letter: its record is to have no effect. Answers whether it was open.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn discard(&self, id: i64) -> Result<bool, StoreError> {
        self.settle(id, DeadLetterState::Discarded).await
    }

    /// Notes that an open letter's record has had its effect. Answers whether it was open.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn mark_retried(&self, id: i64) -> Result<bool, StoreError> {
        self.settle(id, DeadLetterState::Retried).await
    }

    /// Notes why an open letter's record still has no effect.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn note_reason(&self, id: i64, reason: &str) -> Result<(), StoreError> {
        sqlx::query(self.sql.note_reason)
            .bind(id)
            .bind(storable(reason))
            .execute(&self.pool)
            .await
            .map_err(PgError::from)?;
        Ok(())
    }

    async fn settle(&self, id: i64, state: DeadLetterState) -> Result<bool, StoreError> {
        let done = sqlx::query(self.sql.settle)
            .bind(id)
            .bind(state.as_str())
            .execute(&self.pool)
            .await
            .map_err(PgError::from)?;
        Ok(done.rows_affected() == 1)
    }
}
