use adapter_postgres::PgError;
use application::StoreError;
use sqlx::{PgConnection, PgExecutor};

use super::levels::level;
use super::{Registered, Store, select_registered, select_versions};
use crate::api_error::ApiError;
use crate::schema::Schema;

impl Store {
    /// Registers a schema as the next version of a subject, unless it is registered there already.
    /// Returns the schema's id.
    pub(in super::super) async fn register(
        &self,
        subject: &str,
        schema: &Schema,
    ) -> Result<i32, ApiError> {
        // Most schemas are registered already, because every program registers its schemas at
        // start.
        if let Some(found) = find(&self.pool, subject, schema, false).await? {
            return Ok(found.id);
        }
        let mut transaction = self.pool.begin().await.map_err(store_error)?;
        // Only one registration runs at a time, so that it is checked against all earlier ones and
        // a schema does not get two ids. This lock does not block reads. No macro of sqlx, because
        // Postgres does not check `LOCK` before it runs.
        sqlx::query("LOCK TABLE registry.versions IN SHARE ROW EXCLUSIVE MODE")
            .execute(&mut *transaction)
            .await
            .map_err(store_error)?;
        let id = register_locked(&mut transaction, subject, schema).await?;
        transaction.commit().await.map_err(store_error)?;
        Ok(id)
    }

    /// The version of a subject that has this schema.
    pub(in super::super) async fn find(
        &self,
        subject: &str,
        schema: &Schema,
        deleted: bool,
    ) -> Result<Registered, ApiError> {
        if let Some(found) = find(&self.pool, subject, schema, deleted).await? {
            return Ok(found);
        }
        // Fails with another error if the subject is unknown.
        self.versions(subject, deleted).await?;
        Err(ApiError::UnknownSchema)
    }
}

async fn register_locked(
    transaction: &mut PgConnection,
    subject: &str,
    schema: &Schema,
) -> Result<i32, ApiError> {
    if let Some(found) = find(&mut *transaction, subject, schema, false).await? {
        return Ok(found.id);
    }
    let earlier = select_versions(&mut *transaction, subject, false).await?;
    let earlier = earlier.iter().map(Registered::parsed).collect::<Result<Vec<_>, _>>()?;
    let level = level(&mut *transaction, subject).await?;
    let reasons = schema.incompatibilities(level, &earlier);
    if !reasons.is_empty() {
        return Err(ApiError::Incompatible { subject: subject.to_owned(), reasons });
    }
    let id = id_of(&mut *transaction, schema).await?;
    // The number of a deleted version is not used again.
    sqlx::query!(
        "INSERT INTO registry.versions (subject, version, schema_id)
         SELECT $1, coalesce(max(version), 0) + 1, $2 FROM registry.versions WHERE subject = $1",
        subject,
        id
    )
    .execute(transaction)
    .await
    .map_err(store_error)?;
    Ok(id)
}

/// The id of a schema. Inserts the schema if it is new.
async fn id_of(transaction: &mut PgConnection, schema: &Schema) -> Result<i32, ApiError> {
    let known = sqlx::query_scalar!(
        "SELECT id FROM registry.schemas WHERE sha256(canonical) = sha256($1)",
        schema.canonical()
    );
    if let Some(id) = known.fetch_optional(&mut *transaction).await.map_err(store_error)? {
        return Ok(id);
    }
    let new = sqlx::query_scalar!(
        "INSERT INTO registry.schemas (schema, canonical) VALUES ($1, $2) RETURNING id",
        schema.text(),
        schema.canonical()
    );
    Ok(new.fetch_one(transaction).await.map_err(store_error)?)
}

async fn find<'c>(
    executor: impl PgExecutor<'c>,
    subject: &str,
    schema: &Schema,
    deleted: bool,
) -> Result<Option<Registered>, StoreError> {
    let found = select_registered!(
        "WHERE v.subject = $1 AND sha256(s.canonical) = sha256($2) AND (NOT v.deleted OR $3)
         ORDER BY v.version DESC LIMIT 1",
        subject,
        schema.canonical(),
        deleted
    );
    Ok(found.fetch_optional(executor).await.map_err(PgError::from)?)
}

fn store_error(error: sqlx::Error) -> StoreError {
    PgError::from(error).into()
}
