//! How schemas may change: for all subjects, and for one.

use adapter_avro::compatibility::Level;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::api_error::ApiError;
use super::compatibility::level;
use super::reply::Reply;
use super::request::{Body, InPath, InQuery};
use super::store::Store;

/// A level as clients set it, and as they are told that it is set.
#[derive(Deserialize, Serialize)]
pub(super) struct Setting {
    compatibility: String,
}

/// The level that holds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Current {
    compatibility_level: &'static str,
}

/// Whether a subject without a level of its own answers with that of all.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Fallback {
    default_to_global: bool,
}

/// Whether schemas can be registered.
#[derive(Serialize)]
pub(super) struct Mode {
    mode: &'static str,
}

/// The level of the subjects that have none of their own.
pub(super) async fn default(State(store): State<Store>) -> Result<Reply<Current>, ApiError> {
    Ok(current(store.default_level().await?))
}

/// Sets it.
pub(super) async fn set_default(
    State(store): State<Store>,
    Body(setting): Body<Setting>,
) -> Result<Reply<Setting>, ApiError> {
    set(&store, "", &setting).await
}

/// A subject's own level.
pub(super) async fn of_subject(
    State(store): State<Store>,
    InPath(subject): InPath<String>,
    InQuery(fallback): InQuery<Fallback>,
) -> Result<Reply<Current>, ApiError> {
    match store.own_level(&subject).await? {
        Some(level) => Ok(current(level)),
        None if fallback.default_to_global => Ok(current(store.default_level().await?)),
        None => Err(ApiError::NoLevelOfItsOwn(subject)),
    }
}

/// Gives a subject a level of its own.
pub(super) async fn set_subject(
    State(store): State<Store>,
    InPath(subject): InPath<String>,
    Body(setting): Body<Setting>,
) -> Result<Reply<Setting>, ApiError> {
    set(&store, &subject, &setting).await
}

/// Takes it away again; answers what it was.
pub(super) async fn unset_subject(
    State(store): State<Store>,
    InPath(subject): InPath<String>,
) -> Result<Reply<Current>, ApiError> {
    match store.unset_level(&subject).await? {
        Some(level) => Ok(current(level)),
        None => Err(ApiError::UnknownSubject(subject)),
    }
}

/// Schemas can always be read and registered.
pub(super) async fn mode() -> Reply<Mode> {
    Reply(Mode { mode: "READWRITE" })
}

async fn set(store: &Store, subject: &str, setting: &Setting) -> Result<Reply<Setting>, ApiError> {
    let level = level::parse(&setting.compatibility)?;
    store.set_level(subject, level).await?;
    Ok(Reply(Setting { compatibility: level::name(level).to_owned() }))
}

const fn current(level: Level) -> Reply<Current> {
    Reply(Current { compatibility_level: level::name(level) })
}
