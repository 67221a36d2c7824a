//! Routes for subjects and their versions.

use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::api_error::ApiError;
use super::query::{DeletedOnlyQuery, DeletedQuery, InQuery, Page};
use super::request::{Body, InPath, SchemaRequest};
use super::response::{JsonResponse, SchemaText};
use super::store::{Registered, Store};

/// Query parameters of the list of subjects.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct SubjectsQuery {
    subject_prefix: String,
    deleted: bool,
}

/// Response body of a registration.
#[derive(Serialize)]
pub(super) struct RegisteredId {
    id: i32,
}

/// Returns the names of the subjects.
pub(super) async fn list(
    State(store): State<Store>,
    InQuery(query): InQuery<SubjectsQuery>,
    InQuery(DeletedOnlyQuery { deleted_only }): InQuery<DeletedOnlyQuery>,
    InQuery(page): InQuery<Page>,
) -> Result<JsonResponse<Vec<String>>, ApiError> {
    if deleted_only {
        let all = store.all(&query.subject_prefix, true, false).await?;
        let deleted = all.into_iter().filter(|found| found.deleted);
        let mut subjects: Vec<_> = deleted.map(|found| found.subject).collect();
        subjects.dedup();
        return Ok(JsonResponse(page.of(subjects)));
    }
    Ok(JsonResponse(page.of(store.subjects(&query.subject_prefix, query.deleted).await?)))
}

/// Registers a schema. Registering it again returns the same id.
pub(super) async fn register(
    State(store): State<Store>,
    InPath(subject): InPath<String>,
    Body(request): Body<SchemaRequest>,
) -> Result<JsonResponse<RegisteredId>, ApiError> {
    let id = store.register(&subject, &request.new_schema(&subject)?).await?;
    Ok(JsonResponse(RegisteredId { id }))
}

/// Looks up a schema under a subject, and returns its version and id.
pub(super) async fn look_up(
    State(store): State<Store>,
    InPath(subject): InPath<String>,
    InQuery(DeletedQuery { deleted }): InQuery<DeletedQuery>,
    Body(request): Body<SchemaRequest>,
) -> Result<JsonResponse<Registered>, ApiError> {
    Ok(JsonResponse(store.find(&subject, &request.schema()?, deleted).await?))
}

/// Returns the numbers of a subject's versions.
pub(super) async fn versions(
    State(store): State<Store>,
    InPath(subject): InPath<String>,
    InQuery(DeletedQuery { deleted }): InQuery<DeletedQuery>,
    InQuery(DeletedOnlyQuery { deleted_only }): InQuery<DeletedOnlyQuery>,
    InQuery(page): InQuery<Page>,
) -> Result<JsonResponse<Vec<i32>>, ApiError> {
    let mut versions = store.versions(&subject, deleted || deleted_only).await?;
    versions.retain(|found| found.deleted || !deleted_only);
    Ok(JsonResponse(page.of(versions.into_iter().map(|found| found.version))))
}

/// Returns a version.
pub(super) async fn version(
    State(store): State<Store>,
    InPath((subject, version)): InPath<(String, String)>,
    InQuery(DeletedQuery { deleted }): InQuery<DeletedQuery>,
) -> Result<JsonResponse<Registered>, ApiError> {
    Ok(JsonResponse(store.version(&subject, version.parse()?, deleted).await?))
}

/// Returns only the schema of a version.
pub(super) async fn text(
    State(store): State<Store>,
    InPath((subject, version)): InPath<(String, String)>,
    InQuery(DeletedQuery { deleted }): InQuery<DeletedQuery>,
) -> Result<SchemaText, ApiError> {
    Ok(SchemaText(store.version(&subject, version.parse()?, deleted).await?.schema))
}

/// Returns the schemas that refer to this one: none, because references are not supported.
pub(super) async fn referenced_by(
    State(store): State<Store>,
    InPath((subject, version)): InPath<(String, String)>,
) -> Result<JsonResponse<[i32; 0]>, ApiError> {
    store.version(&subject, version.parse()?, false).await?;
    Ok(JsonResponse([]))
}
