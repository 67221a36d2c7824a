use std::sync::Arc;

use axum::http::HeaderMap;
use axum::response::Redirect;
use axum::routing::get;
use axum::{Json, Router};
use utoipa::openapi::{OpenApi, Server};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::prefix::forwarded_prefix;

/// The document of the Swagger UI page, beside the page.
pub(super) const PAGE_DOCUMENT: &str = "/swagger-ui/openapi.json";

/// The OpenAPI document at `/openapi.json`, and Swagger UI at `/swagger-ui/`, to which the root
/// redirects. Both work behind a gateway that strips a path prefix.
pub(super) fn documentation(document: OpenApi) -> Router {
    // The page works without a forwarded prefix too. Other tools cannot use a relative server.
    let of_page = Arc::new(at_server(document.clone(), ".."));
    let swagger = SwaggerUi::new("/swagger-ui").config(
        Config::new(["openapi.json"])
            // The default validator is a service on the internet.
            .validator_url("none")
            .display_request_duration(true),
    );
    let document = Arc::new(document);
    Router::new()
        .merge(swagger)
        .route(PAGE_DOCUMENT, get(|| async move { Json(of_page) }))
        .route("/openapi.json", get(|headers| async move { Json(as_seen(&document, &headers)) }))
        .route("/", get(|| async { Redirect::temporary("/swagger-ui/") }))
}

/// The document for a client that sees the server under the forwarded prefix.
fn as_seen(document: &OpenApi, headers: &HeaderMap) -> OpenApi {
    let document = document.clone();
    match forwarded_prefix(headers) {
        Some(prefix) => at_server(document, prefix),
        None => document,
    }
}

fn at_server(mut document: OpenApi, url: &str) -> OpenApi {
    document.servers = Some(vec![Server::new(url)]);
    document
}
