//! Routes for schemas by id.

use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::api_error::ApiError;
use super::query::{DeletedQuery, InQuery, Page};
use super::request::InPath;
use super::response::{JsonResponse, SchemaText};
use super::store::{Registered, Store};

/// Query parameters of the list of schemas.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct SchemasQuery {
    subject_prefix: String,
    deleted: bool,
    latest_only: bool,
}

/// Response body with a schema.
#[derive(Serialize)]
pub(super) struct SchemaBody {
    schema: String,
}

/// Response body with a subject and a version.
#[derive(Serialize)]
pub(super) struct SubjectVersion {
    subject: String,
    version: i32,
}

/// Returns the versions of all subjects.
pub(super) async fn list(
    State(store): State<Store>,
    InQuery(query): InQuery<SchemasQuery>,
    InQuery(page): InQuery<Page>,
) -> Result<JsonResponse<Vec<Registered>>, ApiError> {
    let all = store.all(&query.subject_prefix, query.deleted, query.latest_only).await?;
    Ok(JsonResponse(page.of(all)))
}

/// Returns a schema as a JSON object.
pub(super) async fn by_id(
    State(store): State<Store>,
    InPath(id): InPath<i64>,
) -> Result<JsonResponse<SchemaBody>, ApiError> {
    Ok(JsonResponse(SchemaBody { schema: store.text(id).await? }))
}

/// Returns only the text of a schema.
pub(super) async fn text_by_id(
    State(store): State<Store>,
    InPath(id): InPath<i64>,
) -> Result<SchemaText, ApiError> {
    Ok(SchemaText(store.text(id).await?))
}

/// Returns the subjects of a schema.
pub(super) async fn subjects_by_id(
    State(store): State<Store>,
    InPath(id): InPath<i64>,
    InQuery(DeletedQuery { deleted }): InQuery<DeletedQuery>,
    InQuery(page): InQuery<Page>,
) -> Result<JsonResponse<Vec<String>>, ApiError> {
    let versions = store.versions_of_schema(id, deleted).await?;
    let mut subjects: Vec<_> = versions.into_iter().map(|version| version.subject).collect();
    subjects.dedup();
    Ok(JsonResponse(page.of(subjects)))
}

/// Returns the subjects and versions of a schema.
pub(super) async fn versions_by_id(
    State(store): State<Store>,
    InPath(id): InPath<i64>,
    InQuery(DeletedQuery { deleted }): InQuery<DeletedQuery>,
    InQuery(page): InQuery<Page>,
) -> Result<JsonResponse<Vec<SubjectVersion>>, ApiError> {
    let versions = store.versions_of_schema(id, deleted).await?;
    let versions = versions
        .into_iter()
        .map(|Registered { subject, version, .. }| SubjectVersion { subject, version });
    Ok(JsonResponse(page.of(versions)))
}
