//! Routes for the compatibility level, global and per subject.

use adapter_avro::compatibility::Level;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::api_error::ApiError;
use super::parameters::{DEFAULT_LEVEL, level_name, parse_level};
use super::query::InQuery;
use super::request::{Body, InPath};
use super::response::JsonResponse;
use super::store::Store;

/// Request and response body of setting a level.
#[derive(Deserialize, Serialize)]
pub(super) struct NewLevel {
    compatibility: String,
}

/// Response body with the current level.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CurrentLevel {
    compatibility_level: &'static str,
}

/// Query parameter: whether to return the global level for a subject without a level of its own.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct FallbackQuery {
    default_to_global: bool,
}

/// Response body with the mode of the registry.
#[derive(Serialize)]
pub(super) struct Mode {
    mode: &'static str,
}

/// Returns the global level.
pub(super) async fn global(
    State(store): State<Store>,
) -> Result<JsonResponse<CurrentLevel>, ApiError> {
    Ok(current(store.global_level().await?))
}

/// Sets the global level.
pub(super) async fn set_global(
    State(store): State<Store>,
    Body(new): Body<NewLevel>,
) -> Result<JsonResponse<NewLevel>, ApiError> {
    set(&store, "", &new).await
}

/// Removes the global level and returns it. The default level is the global level then.
pub(super) async fn remove_global(
    State(store): State<Store>,
) -> Result<JsonResponse<CurrentLevel>, ApiError> {
    Ok(current(store.remove_level("").await?.unwrap_or(DEFAULT_LEVEL)))
}

/// Returns a subject's own level.
pub(super) async fn of_subject(
    State(store): State<Store>,
    InPath(subject): InPath<String>,
    InQuery(fallback): InQuery<FallbackQuery>,
) -> Result<JsonResponse<CurrentLevel>, ApiError> {
    match store.own_level(&subject).await? {
        Some(level) => Ok(current(level)),
        None if fallback.default_to_global => Ok(current(store.global_level().await?)),
        None => Err(ApiError::NoSubjectLevel(subject)),
    }
}

/// Sets a subject's own level.
pub(super) async fn set_subject(
    State(store): State<Store>,
    InPath(subject): InPath<String>,
    Body(new): Body<NewLevel>,
) -> Result<JsonResponse<NewLevel>, ApiError> {
    set(&store, &subject, &new).await
}

/// Removes a subject's own level and returns it.
pub(super) async fn remove_subject(
    State(store): State<Store>,
    InPath(subject): InPath<String>,
) -> Result<JsonResponse<CurrentLevel>, ApiError> {
    match store.remove_level(&subject).await? {
        Some(level) => Ok(current(level)),
        None => Err(ApiError::UnknownSubject(subject)),
    }
}

/// Returns the mode. Schemas can always be read and registered.
pub(super) async fn mode() -> JsonResponse<Mode> {
    JsonResponse(Mode { mode: "READWRITE" })
}

async fn set(
    store: &Store,
    subject: &str,
    new: &NewLevel,
) -> Result<JsonResponse<NewLevel>, ApiError> {
    let level = parse_level(&new.compatibility)?;
    store.set_level(subject, level).await?;
    Ok(JsonResponse(NewLevel { compatibility: level_name(level).to_owned() }))
}

const fn current(level: Level) -> JsonResponse<CurrentLevel> {
    JsonResponse(CurrentLevel { compatibility_level: level_name(level) })
}
