//! Routes that check whether a schema is compatible, without registering it.

use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::api_error::ApiError;
use super::parameters::Version;
use super::query::InQuery;
use super::request::{Body, InPath, SchemaRequest};
use super::response::JsonResponse;
use super::store::Store;

/// Query parameter: whether to return the reasons.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct VerboseQuery {
    verbose: bool,
}

#[derive(Serialize)]
pub(super) struct Verdict {
    is_compatible: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Vec<String>>,
}

/// Checks a schema against one version at the subject's level.
pub(super) async fn check_version(
    State(store): State<Store>,
    InPath((subject, version)): InPath<(String, String)>,
    InQuery(query): InQuery<VerboseQuery>,
    Body(request): Body<SchemaRequest>,
) -> Result<JsonResponse<Verdict>, ApiError> {
    let version: Version = version.parse()?;
    let schema = request.schema()?;
    let earlier = match store.version(&subject, version, false).await {
        Ok(found) => vec![found.parsed()?],
        // Every schema is compatible with a subject without versions.
        Err(ApiError::UnknownSubject(_)) if version == Version::Latest => Vec::new(),
        Err(error) => return Err(error),
    };
    let reasons = schema.incompatibilities(store.level(&subject).await?, &earlier);
    Ok(verdict(reasons, &query))
}

/// Checks a schema as its registration would, against the versions that the subject's level
/// requires.
pub(super) async fn check_all(
    State(store): State<Store>,
    InPath(subject): InPath<String>,
    InQuery(query): InQuery<VerboseQuery>,
    Body(request): Body<SchemaRequest>,
) -> Result<JsonResponse<Verdict>, ApiError> {
    let schema = request.schema()?;
    let earlier = store.earlier(&subject).await?;
    let reasons = schema.incompatibilities(store.level(&subject).await?, &earlier);
    Ok(verdict(reasons, &query))
}

fn verdict(reasons: Vec<String>, query: &VerboseQuery) -> JsonResponse<Verdict> {
    JsonResponse(Verdict {
        is_compatible: reasons.is_empty(),
        messages: query.verbose.then_some(reasons),
    })
}
