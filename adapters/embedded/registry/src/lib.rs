//! A schema registry that speaks Confluent's API, kept in Postgres.
//!
//! A schema keeps its id for good, and the same schema never has two. A schema that does not fit
//! those before it is refused with the reason. It serves Avro without references.

mod api_error;
mod compatibility;
mod configuration;
mod deletion;
mod reply;
mod request;
mod schema;
mod schemas;
mod store;
mod subjects;
mod version;

use adapter_http::refuse_cross_site;
use adapter_postgres::Database;
use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get, post};
use runtime::StartError;

use self::api_error::ApiError;
use self::reply::Reply;
use self::store::Store;

/// The registry's routes, over the schema `registry` of this database, whose tables are brought up
/// to date first.
///
/// # Errors
/// When they cannot be.
pub async fn router(database: &Database) -> Result<Router, StartError> {
    let store = Store::open(database)
        .await
        .map_err(|error| StartError::other("cannot prepare the schema registry", error))?;
    Ok(Router::new()
        .route("/", get(async || Reply(serde_json::json!({}))))
        .route("/subjects", get(subjects::list))
        .route("/subjects/{subject}", post(subjects::look_up).delete(deletion::of_subject))
        .route("/subjects/{subject}/versions", get(subjects::versions).post(subjects::register))
        .route(
            "/subjects/{subject}/versions/{version}",
            get(subjects::version).delete(deletion::of_version),
        )
        .route("/subjects/{subject}/versions/{version}/schema", get(subjects::text))
        .route("/subjects/{subject}/versions/{version}/referencedby", get(subjects::referenced_by))
        .route("/schemas", get(schemas::list))
        .route("/schemas/types", get(async || Reply(["AVRO"])))
        .route("/schemas/ids/{id}", get(schemas::by_id))
        .route("/schemas/ids/{id}/schema", get(schemas::text_by_id))
        .route("/schemas/ids/{id}/subjects", get(schemas::subjects_by_id))
        .route("/schemas/ids/{id}/versions", get(schemas::versions_by_id))
        .route("/config", get(configuration::default).put(configuration::set_default))
        .route(
            "/config/{subject}",
            get(configuration::of_subject)
                .put(configuration::set_subject)
                .delete(configuration::unset_subject),
        )
        .route("/mode", get(configuration::mode))
        .route("/mode/{subject}", get(configuration::mode))
        .route("/compatibility/subjects/{subject}/versions", post(compatibility::check::with_all))
        .route(
            "/compatibility/subjects/{subject}/versions/{version}",
            post(compatibility::check::with_version),
        )
        .fallback(async || ApiError::NoSuchRoute)
        .method_not_allowed_fallback(async || ApiError::NoSuchMethod)
        .layer(from_fn(refuse_cross_site))
        .with_state(store))
}
