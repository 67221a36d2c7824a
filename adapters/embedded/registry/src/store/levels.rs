use adapter_avro::compatibility::Level;
use adapter_postgres::PgError;
use application::StoreError;
use sqlx::PgExecutor;

use super::Store;
use crate::compatibility::level as levels;

/// Under this name the level of all subjects is kept that have none of their own.
const ALL: &str = "";

impl Store {
    /// The level that holds for a subject.
    pub(in super::super) async fn level(&self, subject: &str) -> Result<Level, StoreError> {
        level(&self.pool, subject).await
    }

    /// The level of the subjects that have none of their own.
    pub(in super::super) async fn default_level(&self) -> Result<Level, StoreError> {
        level(&self.pool, ALL).await
    }

    /// A subject's own level.
    pub(in super::super) async fn own_level(
        &self,
        subject: &str,
    ) -> Result<Option<Level>, StoreError> {
        let level = sqlx::query_scalar("SELECT level FROM registry.levels WHERE subject = $1");
        let level: Option<String> =
            level.bind(subject).fetch_optional(&self.pool).await.map_err(PgError::from)?;
        level.as_deref().map(read).transpose()
    }

    /// Sets a subject's level; that of all when the subject is empty.
    pub(in super::super) async fn set_level(
        &self,
        subject: &str,
        level: Level,
    ) -> Result<(), StoreError> {
        let set = sqlx::query(
            "INSERT INTO registry.levels (subject, level) VALUES ($1, $2)
             ON CONFLICT (subject) DO UPDATE SET level = EXCLUDED.level",
        );
        set.bind(subject)
            .bind(levels::name(level))
            .execute(&self.pool)
            .await
            .map_err(PgError::from)?;
        Ok(())
    }

    /// Takes a subject's own level away; answers what it was.
    pub(in super::super) async fn unset_level(
        &self,
        subject: &str,
    ) -> Result<Option<Level>, StoreError> {
        let unset =
            sqlx::query_scalar("DELETE FROM registry.levels WHERE subject = $1 RETURNING level");
        let level: Option<String> =
            unset.bind(subject).fetch_optional(&self.pool).await.map_err(PgError::from)?;
        level.as_deref().map(read).transpose()
    }
}

/// The level that holds for a subject: its own, else that of all.
pub(super) async fn level<'c>(
    executor: impl PgExecutor<'c>,
    subject: &str,
) -> Result<Level, StoreError> {
    let level = sqlx::query_scalar(
        "SELECT level FROM registry.levels WHERE subject IN ($1, '') ORDER BY subject DESC LIMIT 1",
    );
    let level: Option<String> =
        level.bind(subject).fetch_optional(executor).await.map_err(PgError::from)?;
    level.as_deref().map_or(Ok(levels::DEFAULT), read)
}

fn read(level: &str) -> Result<Level, StoreError> {
    levels::parse(level)
        .map_err(|_| StoreError::Broken(format!("the level {level} is unknown").into()))
}
