//! A schema registry with the API of Confluent, stored in Postgres.
//!
//! An id never changes its schema, and a schema never has two ids. A schema that is incompatible
//! with earlier versions is refused with the reason. Only Avro without references is supported.

mod api_error;
mod compatibility;
mod configuration;
mod deletion;
mod parameters;
mod query;
mod request;
mod response;
mod schema;
mod schemas;
mod store;
mod subject;
mod subjects;
pub mod testing;

use adapter_http::refuse_cross_site;
use adapter_postgres::{ContextTables, Database, Migrations};
use axum::Router;
use axum::extract::Request;
use axum::middleware::{from_fn, map_request};
use axum::routing::{get, post};
use runtime::StartError;

use self::api_error::ApiError;
use self::response::JsonResponse;
use self::store::Store;

/// The tables of the registry.
pub static TABLES: ContextTables = ContextTables {
    schema: "registry",
    program: "the registry",
    migrations: &[Migrations {
        files: || sqlx::migrate!("../../../migrations/registry"),
        recorded_in: "_migrations",
    }],
};

/// Migrates the registry's tables in this database, in the schema `registry`, and returns its
/// routes.
///
/// # Errors
/// When the migration fails.
pub async fn router(database: &Database) -> Result<Router, StartError> {
    let store = Store::open(database)
        .await
        .map_err(|error| StartError::other("cannot prepare the schema registry", error))?;
    let routes = Router::new()
        .route("/", get(async || JsonResponse(serde_json::json!({}))))
        .route("/subjects", get(subjects::list))
        .route("/subjects/{subject}", post(subjects::look_up).delete(deletion::of_subject))
        .route("/subjects/{subject}/versions", get(subjects::versions).post(subjects::register))
        .route(
            "/subjects/{subject}/versions/{version}",
            get(subjects::version).delete(deletion::of_version),
        )
        .route("/subjects/{subject}/versions/{version}/schema", get(subjects::text))
        .route("/subjects/{subject}/versions/{version}/referencedby", get(subjects::referenced_by))
        .route("/contexts", get(async || JsonResponse(["."])))
        .route("/schemas", get(schemas::list))
        .route("/schemas/types", get(async || JsonResponse(["AVRO"])))
        .route("/schemas/ids/{id}", get(schemas::by_id))
        .route("/schemas/ids/{id}/schema", get(schemas::text_by_id))
        .route("/schemas/ids/{id}/subjects", get(schemas::subjects_by_id))
        .route("/schemas/ids/{id}/versions", get(schemas::versions_by_id))
        .route(
            "/config",
            get(configuration::global)
                .put(configuration::set_global)
                .delete(configuration::remove_global),
        )
        .route(
            "/config/{subject}",
            get(configuration::of_subject)
                .put(configuration::set_subject)
                .delete(configuration::remove_subject),
        )
        .route("/mode", get(configuration::mode))
        .route("/mode/{subject}", get(configuration::mode))
        .route("/compatibility/subjects/{subject}/versions", post(compatibility::check_all))
        .route(
            "/compatibility/subjects/{subject}/versions/{version}",
            post(compatibility::check_version),
        )
        .fallback(async || ApiError::UnknownRoute)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(from_fn(refuse_cross_site))
        .with_state(store);
    // Around the routes, so that the path is rewritten before a route is chosen.
    Ok(Router::new().fallback_service(routes).layer(map_request(without_trailing_slash)))
}

/// Removes a slash at the end of the path. The registry of Confluent accepts it on each route, and its
/// Java client sends it.
async fn without_trailing_slash(mut request: Request) -> Request {
    let uri = request.uri();
    let path = uri.path().trim_end_matches('/');
    if path.len() == uri.path().len() {
        return request;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    if let Ok(uri) = format!("{}{query}", if path.is_empty() { "/" } else { path }).parse() {
        *request.uri_mut() = uri;
    }
    request
}
