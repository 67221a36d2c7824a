//! The schemas by their ids, whatever subjects they belong to.

use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::api_error::ApiError;
use super::reply::{Reply, Text};
use super::request::{Deleted, InPath, InQuery};
use super::store::{Registered, Store};

/// Which schemas are meant.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Filter {
    subject_prefix: String,
    deleted: bool,
    latest_only: bool,
    offset: usize,
    limit: Option<usize>,
}

/// A schema that is known by its id already.
#[derive(Serialize)]
pub(super) struct SchemaText {
    schema: String,
}

/// Where a schema is registered.
#[derive(Serialize)]
pub(super) struct Place {
    subject: String,
    version: i32,
}

/// All versions of all subjects.
pub(super) async fn list(
    State(store): State<Store>,
    InQuery(filter): InQuery<Filter>,
) -> Result<Reply<Vec<Registered>>, ApiError> {
    let all = store.all(&filter.subject_prefix, filter.deleted, filter.latest_only).await?;
    let limit = filter.limit.unwrap_or(usize::MAX);
    Ok(Reply(all.into_iter().skip(filter.offset).take(limit).collect()))
}

/// A schema.
pub(super) async fn by_id(
    State(store): State<Store>,
    InPath(id): InPath<i64>,
) -> Result<Reply<SchemaText>, ApiError> {
    Ok(Reply(SchemaText { schema: store.text(id).await? }))
}

/// A schema's text alone.
pub(super) async fn text_by_id(
    State(store): State<Store>,
    InPath(id): InPath<i64>,
) -> Result<Text, ApiError> {
    Ok(Text(store.text(id).await?))
}

/// The subjects a schema is registered under.
pub(super) async fn subjects_by_id(
    State(store): State<Store>,
    InPath(id): InPath<i64>,
    InQuery(Deleted { deleted }): InQuery<Deleted>,
) -> Result<Reply<Vec<String>>, ApiError> {
    let places = store.places(id, deleted).await?;
    let mut subjects: Vec<_> = places.into_iter().map(|place| place.subject).collect();
    subjects.dedup();
    Ok(Reply(subjects))
}

/// The subjects and versions a schema is registered under.
pub(super) async fn versions_by_id(
    State(store): State<Store>,
    InPath(id): InPath<i64>,
    InQuery(Deleted { deleted }): InQuery<Deleted>,
) -> Result<Reply<Vec<Place>>, ApiError> {
    let places = store.places(id, deleted).await?;
    let places =
        places.into_iter().map(|Registered { subject, version, .. }| Place { subject, version });
    Ok(Reply(places.collect()))
}
