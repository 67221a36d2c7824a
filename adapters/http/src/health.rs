use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use runtime::{Check, CheckResult};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Whether a program can do its work.
#[derive(Debug, Serialize, ToSchema)]
struct Readiness {
    /// Whether everything it needs is there
    ready: bool,
    /// Each thing it needs
    checks: Vec<CheckAnswer>,
}

/// Whether one thing a program needs is there.
#[derive(Debug, Serialize, ToSchema)]
struct CheckAnswer {
    /// What it is
    #[schema(example = "postgres")]
    name: &'static str,
    /// Whether it is there
    ready: bool,
    /// If not: what is wrong, unless it may only be logged
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "partitions were added to the topic")]
    reason: Option<String>,
    /// What an operator should look at, though the program does its work
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "cleanup.policy of the topic is compact, not delete")]
    warning: Option<String>,
}

/// The process is alive.
#[derive(Debug, Serialize, ToSchema)]
struct Liveness {
    /// Always true
    alive: bool,
}

impl CheckAnswer {
    async fn of(check: &Check) -> Self {
        let CheckResult { ready, reason, warning } = check.run().await;
        Self { name: check.name(), ready, reason, warning }
    }
}

/// `/livez` and `/readyz`.
pub(super) fn health(checks: Vec<Check>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(livez)).routes(routes!(readyz)).with_state(checks.into())
}

/// Whether the process is alive
#[utoipa::path(get, path = "/livez", tag = "operations", responses(
    (status = 200, description = "It is", body = Liveness),
))]
async fn livez() -> Json<Liveness> {
    Json(Liveness { alive: true })
}

/// Whether the program can do its work
#[utoipa::path(get, path = "/readyz", tag = "operations", params(
    ("exclude" = Option<String>, Query, description = "Names of checks that do not count, with \
      commas: a program that shows what it has needs no Kafka for that", example = "kafka"),
), responses(
    (status = 200, description = "It can", body = Readiness),
    (status = 503, description = "Something it needs is not there", body = Readiness,
     example = json!({"ready": false, "checks": [{"name": "postgres", "ready": false}]})),
))]
async fn readyz(
    State(checks): State<Arc<[Check]>>,
    Query(given): Query<Vec<(String, String)>>,
) -> Response {
    let excluded = given.iter().filter(|(name, _)| name == "exclude");
    let excluded: Vec<&str> = excluded.flat_map(|(_, names)| names.split(',')).collect();
    let counts = |check: &&Check| !excluded.contains(&check.name());
    let checks = join_all(checks.iter().filter(counts).map(CheckAnswer::of)).await;
    let ready = checks.iter().all(|check| check.ready);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, checks })).into_response()
}
