//! Hiding subjects and versions, and then, when asked again, removing them. Ids stay readable.

use axum::extract::State;
use serde::Deserialize;

use super::api_error::ApiError;
use super::reply::Reply;
use super::request::{InPath, InQuery};
use super::store::Store;
use super::version::Version;

/// Whether what is hidden goes for good.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Permanence {
    permanent: bool,
}

/// Deletes a subject; answers the numbers of its versions.
pub(super) async fn of_subject(
    State(store): State<Store>,
    InPath(subject): InPath<String>,
    InQuery(Permanence { permanent }): InQuery<Permanence>,
) -> Result<Reply<Vec<i32>>, ApiError> {
    let versions = store.versions(&subject, true).await?;
    let visible: Vec<i32> = versions.iter().filter(|v| !v.deleted).map(|v| v.version).collect();
    if permanent {
        if !visible.is_empty() {
            return Err(ApiError::SubjectNotSoftDeleted(subject));
        }
        let all: Vec<i32> = versions.iter().map(|v| v.version).collect();
        store.remove(&subject, &all).await?;
        return Ok(Reply(all));
    }
    if visible.is_empty() {
        return Err(ApiError::SubjectSoftDeleted(subject));
    }
    store.hide(&subject, &visible).await?;
    Ok(Reply(visible))
}

/// Deletes a version; answers its number.
pub(super) async fn of_version(
    State(store): State<Store>,
    InPath((subject, version)): InPath<(String, String)>,
    InQuery(Permanence { permanent }): InQuery<Permanence>,
) -> Result<Reply<i32>, ApiError> {
    let version: Version = version.parse()?;
    // The latest is the latest that can be seen.
    let found = store.version(&subject, version, version != Version::Latest).await?;
    let number = found.version;
    match (permanent, found.deleted) {
        (true, true) => store.remove(&subject, &[number]).await?,
        (true, false) => return Err(ApiError::VersionNotSoftDeleted(subject, number)),
        (false, true) => return Err(ApiError::VersionSoftDeleted(subject, number)),
        (false, false) => store.hide(&subject, &[number]).await?,
    }
    Ok(Reply(number))
}
