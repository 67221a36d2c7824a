//! Routes that delete subjects and versions, first softly and then permanently.
//!
//! A schema can always be read by its id, even after a permanent deletion.

use axum::extract::State;
use serde::Deserialize;

use super::api_error::ApiError;
use super::parameters::Version;
use super::query::InQuery;
use super::request::InPath;
use super::response::JsonResponse;
use super::store::Store;

/// Query parameter: whether to delete permanently.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct PermanentQuery {
    permanent: bool,
}

/// Deletes a subject and returns the numbers of its versions.
pub(super) async fn of_subject(
    State(store): State<Store>,
    InPath(subject): InPath<String>,
    InQuery(PermanentQuery { permanent }): InQuery<PermanentQuery>,
) -> Result<JsonResponse<Vec<i32>>, ApiError> {
    let versions = store.versions(&subject, true).await?;
    let visible: Vec<i32> = versions.iter().filter(|v| !v.deleted).map(|v| v.version).collect();
    if permanent {
        if !visible.is_empty() {
            return Err(ApiError::SubjectNotSoftDeleted(subject));
        }
        let all: Vec<i32> = versions.iter().map(|v| v.version).collect();
        store.delete_permanently(&subject, &all).await?;
        return Ok(JsonResponse(all));
    }
    if visible.is_empty() {
        return Err(ApiError::SubjectSoftDeleted(subject));
    }
    store.soft_delete(&subject, &visible).await?;
    Ok(JsonResponse(visible))
}

/// Deletes a version and returns its number.
pub(super) async fn of_version(
    State(store): State<Store>,
    InPath((subject, version)): InPath<(String, String)>,
    InQuery(PermanentQuery { permanent }): InQuery<PermanentQuery>,
) -> Result<JsonResponse<i32>, ApiError> {
    let version: Version = version.parse()?;
    // `latest` is the latest version that is not deleted.
    let found = store.version(&subject, version, version != Version::Latest).await?;
    let number = found.version;
    match (permanent, found.deleted) {
        (true, true) => store.delete_permanently(&subject, &[number]).await?,
        (true, false) => return Err(ApiError::VersionNotSoftDeleted(subject, number)),
        (false, true) => return Err(ApiError::VersionSoftDeleted(subject, number)),
        (false, false) => store.soft_delete(&subject, &[number]).await?,
    }
    Ok(JsonResponse(number))
}
