//! Storage of the registry in Postgres.

mod levels;
mod registration;

use adapter_postgres::{Database, MigrateError, PgError};
use application::StoreError;
use serde::Serialize;
use sqlx::PgPool;

use super::api_error::ApiError;
use super::parameters::Version;
use super::schema::Schema;
use super::subject;

/// Access to the tables of the registry.
#[derive(Debug, Clone)]
pub(super) struct Store {
    pool: PgPool,
}

/// A version of a subject, with its schema.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Registered {
    pub(super) subject: String,
    pub(super) version: i32,
    pub(super) id: i32,
    pub(super) schema: String,
    #[serde(skip)]
    pub(super) deleted: bool,
}

impl Registered {
    /// The number of the version and its parsed schema.
    pub(super) fn parsed(&self) -> Result<(i32, Schema), ApiError> {
        Ok((self.version, Schema::parse(&self.schema)?))
    }
}

/// Selects [`Registered`] rows.
macro_rules! select_registered {
    ($rest:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Registered,
            "SELECT v.subject, v.version, s.id, s.schema, v.deleted
             FROM registry.versions v JOIN registry.schemas s ON s.id = v.schema_id " + $rest
            $(, $argument)*
        )
    };
}
use select_registered;

impl Store {
    /// Migrates the tables.
    pub(super) async fn open(database: &Database) -> Result<Self, MigrateError> {
        database.migrate().await?;
        Ok(Self { pool: database.pool().clone() })
    }

    /// The subjects with this prefix.
    pub(super) async fn subjects(
        &self,
        prefix: &str,
        deleted: bool,
    ) -> Result<Vec<String>, StoreError> {
        if !subject::is_prefix(prefix) {
            return Ok(Vec::new());
        }
        let subjects = sqlx::query_scalar!(
            "SELECT DISTINCT subject FROM registry.versions
             WHERE starts_with(subject, $1) AND (NOT deleted OR $2) ORDER BY subject",
            prefix,
            deleted
        );
        Ok(subjects.fetch_all(&self.pool).await.map_err(PgError::from)?)
    }

    /// All versions of the subjects with this prefix, or only the latest of each.
    pub(super) async fn all(
        &self,
        prefix: &str,
        deleted: bool,
        latest_only: bool,
    ) -> Result<Vec<Registered>, StoreError> {
        if !subject::is_prefix(prefix) {
            return Ok(Vec::new());
        }
        let all = select_registered!(
            "WHERE starts_with(v.subject, $1) AND (NOT v.deleted OR $2)
               AND (NOT $3 OR NOT EXISTS (
                   SELECT FROM registry.versions later
                   WHERE later.subject = v.subject AND later.version > v.version
                     AND (NOT later.deleted OR $2)))
             ORDER BY v.subject, v.version",
            prefix,
            deleted,
            latest_only
        );
        Ok(all.fetch_all(&self.pool).await.map_err(PgError::from)?)
    }

    /// The versions of a subject, oldest first. Fails if there is none.
    pub(super) async fn versions(
        &self,
        subject: &str,
        deleted: bool,
    ) -> Result<Vec<Registered>, ApiError> {
        let versions = select_versions(&self.pool, subject, deleted).await?;
        if versions.is_empty() {
            return Err(ApiError::UnknownSubject(subject.to_owned()));
        }
        Ok(versions)
    }

    /// A version of a subject.
    pub(super) async fn version(
        &self,
        subject: &str,
        version: Version,
        deleted: bool,
    ) -> Result<Registered, ApiError> {
        let mut versions = self.versions(subject, deleted).await?;
        match version.number() {
            None => versions.pop(),
            Some(number) => versions.into_iter().find(|found| found.version == number),
        }
        .ok_or(ApiError::UnknownVersion(version))
    }

    /// The parsed schemas of a subject's versions, oldest first. Deleted versions are not included.
    pub(super) async fn earlier(&self, subject: &str) -> Result<Vec<(i32, Schema)>, ApiError> {
        let versions = select_versions(&self.pool, subject, false).await?;
        versions.iter().map(Registered::parsed).collect()
    }

    /// The text of a schema. `id` is wider than the ids here, because clients can send any 32-bit
    /// id.
    pub(super) async fn text(&self, id: i64) -> Result<String, ApiError> {
        let text =
            sqlx::query_scalar!("SELECT schema FROM registry.schemas WHERE id = $1::bigint", id);
        let text = text.fetch_optional(&self.pool).await;
        text.map_err(|error| StoreError::from(PgError::from(error)))?.ok_or(ApiError::UnknownId(id))
    }

    /// The versions that have this schema.
    pub(super) async fn versions_of_schema(
        &self,
        id: i64,
        deleted: bool,
    ) -> Result<Vec<Registered>, ApiError> {
        self.text(id).await?;
        let versions = select_registered!(
            "WHERE s.id = $1::bigint AND (NOT v.deleted OR $2) ORDER BY v.subject, v.version",
            id,
            deleted
        );
        let versions = versions.fetch_all(&self.pool).await;
        Ok(versions.map_err(|error| StoreError::from(PgError::from(error)))?)
    }

    /// Marks versions as deleted.
    pub(super) async fn soft_delete(
        &self,
        subject: &str,
        versions: &[i32],
    ) -> Result<(), StoreError> {
        let update = sqlx::query!(
            "UPDATE registry.versions SET deleted = true WHERE subject = $1 AND version = ANY($2)",
            subject,
            versions
        );
        update.execute(&self.pool).await.map_err(PgError::from)?;
        Ok(())
    }

    /// Deletes versions that are marked as deleted.
    pub(super) async fn delete_permanently(
        &self,
        subject: &str,
        versions: &[i32],
    ) -> Result<(), StoreError> {
        let delete = sqlx::query!(
            "DELETE FROM registry.versions WHERE subject = $1 AND version = ANY($2) AND deleted",
            subject,
            versions
        );
        delete.execute(&self.pool).await.map_err(PgError::from)?;
        Ok(())
    }
}

async fn select_versions<'c>(
    executor: impl sqlx::PgExecutor<'c>,
    subject: &str,
    deleted: bool,
) -> Result<Vec<Registered>, StoreError> {
    let versions = select_registered!(
        "WHERE v.subject = $1 AND (NOT v.deleted OR $2) ORDER BY v.version",
        subject,
        deleted
    );
    Ok(versions.fetch_all(executor).await.map_err(PgError::from)?)
}
