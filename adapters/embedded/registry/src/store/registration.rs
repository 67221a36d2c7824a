use adapter_postgres::PgError;
use application::StoreError;
use sqlx::{PgConnection, PgExecutor};

use super::levels::level;
use super::{Registered, Store, select_registered, select_versions};
use crate::api_error::ApiError;
use crate::compatibility::refusals;
use crate::schema::Schema;

impl Store {
    /// Registers a schema under a subject, as its next version, unless it is registered there
    /// already; answers the schema's id.
    pub(in super::super) async fn register(
        &self,
        subject: &str,
        schema: &Schema,
    ) -> Result<i32, ApiError> {
        // Most registrations repeat one: every program registers what it writes when it starts.
        if let Some(found) = find(&self.pool, subject, schema, false).await? {
            return Ok(found.id);
        }
        let mut transaction = self.pool.begin().await.map_err(store_error)?;
        // One registration at a time: each is judged by all before it, and no two of them make
        // two ids for one schema. Reading goes on meanwhile.
        sqlx::query("LOCK TABLE registry.versions IN SHARE ROW EXCLUSIVE MODE")
            .execute(&mut *transaction)
            .await
            .map_err(store_error)?;
        let id = register_alone(&mut transaction, subject, schema).await?;
        transaction.commit().await.map_err(store_error)?;
        Ok(id)
    }

    /// The version a schema is registered as.
    pub(in super::super) async fn find(
        &self,
        subject: &str,
        schema: &Schema,
        deleted: bool,
    ) -> Result<Registered, ApiError> {
        if let Some(found) = find(&self.pool, subject, schema, deleted).await? {
            return Ok(found);
        }
        // An unknown subject is a refusal of its own.
        self.versions(subject, deleted).await?;
        Err(ApiError::UnknownSchema)
    }
}

async fn register_alone(
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
    let reasons = refusals(level, schema, &earlier);
    if !reasons.is_empty() {
        return Err(ApiError::Incompatible { subject: subject.to_owned(), reasons });
    }
    let id = id_of(&mut *transaction, schema).await?;
    // Numbers of hidden versions are not given again.
    sqlx::query(
        "INSERT INTO registry.versions (subject, version, schema_id)
         SELECT $1, coalesce(max(version), 0) + 1, $2 FROM registry.versions WHERE subject = $1",
    )
    .bind(subject)
    .bind(id)
    .execute(transaction)
    .await
    .map_err(store_error)?;
    Ok(id)
}

/// The schema's id; a new one if no subject ever had it.
async fn id_of(transaction: &mut PgConnection, schema: &Schema) -> Result<i32, ApiError> {
    let known: Option<i32> =
        sqlx::query_scalar("SELECT id FROM registry.schemas WHERE sha256(canonical) = sha256($1)")
            .bind(schema.canonical())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(store_error)?;
    if let Some(id) = known {
        return Ok(id);
    }
    let new = sqlx::query_scalar(
        "INSERT INTO registry.schemas (schema, canonical) VALUES ($1, $2) RETURNING id",
    );
    let new = new.bind(schema.text()).bind(schema.canonical()).fetch_one(transaction).await;
    Ok(new.map_err(store_error)?)
}

async fn find<'c>(
    executor: impl PgExecutor<'c>,
    subject: &str,
    schema: &Schema,
    deleted: bool,
) -> Result<Option<Registered>, StoreError> {
    let found = sqlx::query_as(select_registered!(
        "WHERE v.subject = $1 AND sha256(s.canonical) = sha256($2) AND (NOT v.deleted OR $3)
         ORDER BY v.version DESC LIMIT 1"
    ));
    let found = found.bind(subject).bind(schema.canonical()).bind(deleted);
    Ok(found.fetch_optional(executor).await.map_err(PgError::from)?)
}

fn store_error(error: sqlx::Error) -> StoreError {
    PgError::from(error).into()
}
