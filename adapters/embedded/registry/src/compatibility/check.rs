//! Asking whether a schema would fit, without registering it.

use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::super::api_error::ApiError;
use super::super::reply::Reply;
use super::super::request::{Body, InPath, InQuery, SchemaRequest};
use super::super::store::Store;
use super::super::version::Version;
use super::refusals;

/// What is asked for beside the answer.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(in super::super) struct Verbosity {
    verbose: bool,
}

#[derive(Serialize)]
pub(in super::super) struct Verdict {
    is_compatible: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Vec<String>>,
}

/// Against one version, by the subject's level.
pub(in super::super) async fn with_version(
    State(store): State<Store>,
    InPath((subject, version)): InPath<(String, String)>,
    InQuery(verbosity): InQuery<Verbosity>,
    Body(request): Body<SchemaRequest>,
) -> Result<Reply<Verdict>, ApiError> {
    let version: Version = version.parse()?;
    let schema = request.schema()?;
    let earlier = match store.version(&subject, version, false).await {
        Ok(found) => vec![found.parsed()?],
        // Where there is nothing yet, everything fits.
        Err(ApiError::UnknownSubject(_)) if version == Version::Latest => Vec::new(),
        Err(error) => return Err(error),
    };
    let reasons = refusals(store.level(&subject).await?, &schema, &earlier);
    Ok(verdict(reasons, &verbosity))
}

/// Against the versions that count by the subject's level, as if it were registered.
pub(in super::super) async fn with_all(
    State(store): State<Store>,
    InPath(subject): InPath<String>,
    InQuery(verbosity): InQuery<Verbosity>,
    Body(request): Body<SchemaRequest>,
) -> Result<Reply<Verdict>, ApiError> {
    let schema = request.schema()?;
    let earlier = store.earlier(&subject).await?;
    let reasons = refusals(store.level(&subject).await?, &schema, &earlier);
    Ok(verdict(reasons, &verbosity))
}

fn verdict(reasons: Vec<String>, verbosity: &Verbosity) -> Reply<Verdict> {
    Reply(Verdict {
        is_compatible: reasons.is_empty(),
        messages: verbosity.verbose.then_some(reasons),
    })
}
