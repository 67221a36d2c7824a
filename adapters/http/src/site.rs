use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use runtime::Check;
use runtime::{Outage, StartError};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa::openapi::OpenApi;
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use super::admission::{Admission, admit};
use super::browsers::{refuse_cross_site, security_headers};
use super::documentation::documentation;
use super::health::health;
use super::prefix::prefix_location;
use super::prometheus::recorder;
use super::trace::trace;

use super::{BODY_LIMIT, Problem, ProblemType};

/// Time for a request, from its head to its answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The router of a program: its own routes, and those of every program: `/livez`, `/readyz`,
/// `/metrics`, `/openapi.json`, `/swagger-ui/`, `/problems/{name}`. The root redirects to Swagger
/// UI.
///
/// It handles at most `max_in_flight` concurrent requests to the program's own routes; the other
/// routes do not count. All errors are answered with a problem, never with the body of a framework.
///
/// # Errors
/// When the process has another recorder of metrics.
pub fn site(
    api: OpenApiRouter,
    checks: Vec<Check>,
    max_in_flight: u32,
) -> Result<Router, StartError> {
    let recorder = recorder()?;
    let api = api.layer(from_fn_with_state(Admission::new(max_in_flight), admit));
    let (routes, mut document) = api.merge(health(checks)).split_for_parts();
    describe_problems(&mut document);
    if let Some(license) = &mut document.info.license {
        // Swagger UI makes it a link, which is broken for "MIT OR Apache-2.0".
        license.identifier = None;
    }
    let router = routes
        .merge(documentation(document))
        .route("/metrics", get(move || async move { exposition(recorder.render()) }))
        .route("/problems/{name}", get(describe))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_TIMEOUT))
        .layer(CatchPanicLayer::custom(|panic: Box<dyn Any + Send>| panicked(&*panic)))
        .layer(from_fn(problems_only))
        .layer(from_fn(refuse_cross_site))
        .layer(from_fn(security_headers))
        .layer(from_fn(prefix_location))
        .layer(from_fn_with_state(Outage::of("a service that requests need"), trace));
    Ok(router)
}

fn describe_problems(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    let mut schemas = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut schemas);
    components.schemas.extend(schemas);
}

fn exposition(metrics: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], metrics).into_response()
}

/// The page about a type of problem.
async fn describe(Path(name): Path<String>) -> Result<String, Problem> {
    let uri = format!("/problems/{name}");
    let kind = ProblemType::CATALOGUE.into_iter().find(|kind| kind.uri() == uri);
    let kind = kind.ok_or_else(|| {
        Problem::new(ProblemType::NotFound, "there is no problem type with this name")
    })?;
    Ok(format!("{} ({})\n\n{}\n", kind.title(), kind.status().as_u16(), kind.advice()))
}

fn panicked(panic: &(dyn Any + Send)) -> Response {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    Problem::internal(format!("a handler panicked: {text}")).into_response()
}

/// Replaces the body of an error from a framework by a problem, and keeps the useful headers.
async fn problems_only(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let method = request.method().clone();
    let answer = next.run(request).await;
    let status = answer.status();
    if !(status.is_client_error() || status.is_server_error()) || is_json(&answer) {
        return answer;
    }
    let kind = ProblemType::of_status(status);
    let detail = match kind {
        ProblemType::NotFound => format!("there is no resource at {path}"),
        ProblemType::MethodNotAllowed => format!("{method} is not allowed at {path}"),
        ProblemType::Unavailable => format!("no answer within {REQUEST_TIMEOUT:?}"),
        _ => kind.title().to_owned(),
    };
    let mut problem = Problem::new(kind, detail).into_response();
    for name in [header::ALLOW, header::ACCEPT] {
        if let Some(value) = answer.headers().get(&name) {
            problem.headers_mut().insert(name, value.clone());
        }
    }
    problem
}

fn is_json(answer: &Response) -> bool {
    let content_type = answer.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    matches!(content_type, Some(b"application/json" | b"application/problem+json"))
}
