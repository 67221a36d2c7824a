//! The subjects, and the versions of each.

use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::api_error::ApiError;
use super::reply::{Reply, Text};
use super::request::{Body, Deleted, InPath, InQuery, SchemaRequest};
use super::store::{Registered, Store};

/// Which subjects are meant.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Filter {
    subject_prefix: String,
    deleted: bool,
}

/// What a registration answers.
#[derive(Serialize)]
pub(super) struct Id {
    id: i32,
}

/// The names of the subjects.
pub(super) async fn list(
    State(store): State<Store>,
    InQuery(filter): InQuery<Filter>,
) -> Result<Reply<Vec<String>>, ApiError> {
    Ok(Reply(store.subjects(&filter.subject_prefix, filter.deleted).await?))
}

/// Registers a schema; the same one again gets the same id.
pub(super) async fn register(
    State(store): State<Store>,
    InPath(subject): InPath<String>,
    Body(request): Body<SchemaRequest>,
) -> Result<Reply<Id>, ApiError> {
    let id = store.register(&subject, &request.new_schema(&subject)?).await?;
    Ok(Reply(Id { id }))
}

/// Tells whether a schema is registered under a subject, and as which version.
pub(super) async fn look_up(
    State(store): State<Store>,
    InPath(subject): InPath<String>,
    InQuery(Deleted { deleted }): InQuery<Deleted>,
    Body(request): Body<SchemaRequest>,
) -> Result<Reply<Registered>, ApiError> {
    Ok(Reply(store.find(&subject, &request.schema()?, deleted).await?))
}

/// The numbers of a subject's versions.
pub(super) async fn versions(
    State(store): State<Store>,
    InPath(subject): InPath<String>,
    InQuery(Deleted { deleted }): InQuery<Deleted>,
) -> Result<Reply<Vec<i32>>, ApiError> {
    let versions = store.versions(&subject, deleted).await?;
    Ok(Reply(versions.into_iter().map(|found| found.version).collect()))
}

/// One version.
pub(super) async fn version(
    State(store): State<Store>,
    InPath((subject, version)): InPath<(String, String)>,
    InQuery(Deleted { deleted }): InQuery<Deleted>,
) -> Result<Reply<Registered>, ApiError> {
    Ok(Reply(store.version(&subject, version.parse()?, deleted).await?))
}

/// One version's schema alone.
pub(super) async fn text(
    State(store): State<Store>,
    InPath((subject, version)): InPath<(String, String)>,
    InQuery(Deleted { deleted }): InQuery<Deleted>,
) -> Result<Text, ApiError> {
    Ok(Text(store.version(&subject, version.parse()?, deleted).await?.schema))
}

/// The schemas that refer to this one: none, for there are no references.
pub(super) async fn referenced_by(
    State(store): State<Store>,
    InPath((subject, version)): InPath<(String, String)>,
) -> Result<Reply<[i32; 0]>, ApiError> {
    store.version(&subject, version.parse()?, false).await?;
    Ok(Reply([]))
}
