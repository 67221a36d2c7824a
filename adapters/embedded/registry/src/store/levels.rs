use adapter_avro::compatibility::Level;
use adapter_postgres::PgError;
use application::StoreError;
use sqlx::PgExecutor;

use super::Store;
use crate::parameters::{DEFAULT_LEVEL, level_name, parse_level};

/// The subject in the row of the global level.
const GLOBAL: &str = "";

impl Store {
    /// The level of a subject: its own, or the global level.
    pub(in super::super) async fn level(&self, subject: &str) -> Result<Level, StoreError> {
        level(&self.pool, subject).await
    }

    /// The global level.
    pub(in super::super) async fn global_level(&self) -> Result<Level, StoreError> {
        level(&self.pool, GLOBAL).await
    }

    /// A subject's own level, if it has one.
    pub(in super::super) async fn own_level(
        &self,
        subject: &str,
    ) -> Result<Option<Level>, StoreError> {
        let level =
            sqlx::query_scalar!("SELECT level FROM registry.levels WHERE subject = $1", subject);
        let level = level.fetch_optional(&self.pool).await.map_err(PgError::from)?;
        level.as_deref().map(read).transpose()
    }

    /// Sets a subject's own level, or the global level if `subject` is empty.
    pub(in super::super) async fn set_level(
        &self,
        subject: &str,
        level: Level,
    ) -> Result<(), StoreError> {
        let set = sqlx::query!(
            "INSERT INTO registry.levels (subject, level) VALUES ($1, $2)
             ON CONFLICT (subject) DO UPDATE SET level = EXCLUDED.level",
            subject,
            level_name(level)
        );
        set.execute(&self.pool).await.map_err(PgError::from)?;
        Ok(())
    }

    /// Removes a subject's own level, or the global level if `subject` is empty, and returns it.
    pub(in super::super) async fn remove_level(
        &self,
        subject: &str,
    ) -> Result<Option<Level>, StoreError> {
        let delete = sqlx::query_scalar!(
            "DELETE FROM registry.levels WHERE subject = $1 RETURNING level",
            subject
        );
        let level = delete.fetch_optional(&self.pool).await.map_err(PgError::from)?;
        level.as_deref().map(read).transpose()
    }
}

/// The level of a subject: its own, or the global level.
pub(super) async fn level<'c>(
    executor: impl PgExecutor<'c>,
    subject: &str,
) -> Result<Level, StoreError> {
    let level = sqlx::query_scalar!(
        "SELECT level FROM registry.levels WHERE subject IN ($1, '') ORDER BY subject DESC LIMIT 1",
        subject
    );
    let level = level.fetch_optional(executor).await.map_err(PgError::from)?;
    level.as_deref().map_or(Ok(DEFAULT_LEVEL), read)
}

fn read(level: &str) -> Result<Level, StoreError> {
    parse_level(level)
        .map_err(|_| StoreError::Broken(format!("the level {level} is unknown").into()))
}
