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

/// Whether the program is ready.
#[derive(Debug, Serialize, ToSchema)]
struct Readiness {
    /// Whether all checks succeed
    ready: bool,
    /// The result of each check
    checks: Vec<CheckAnswer>,
}

/// The result of a readiness check.
#[derive(Debug, Serialize, ToSchema)]
struct CheckAnswer {
    /// The name of the check
    #[schema(example = "postgres")]
    name: &'static str,
    /// Whether the check succeeds
    ready: bool,
    /// Why the check fails; absent if it succeeds or if the reason is only in the log
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "partitions were added to the topic")]
    reason: Option<String>,
    /// A problem that an operator should look at, although the program is ready
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

/// The routes `/livez` and `/readyz`.
pub(super) fn health(checks: Vec<Check>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(livez)).routes(routes!(readyz)).with_state(checks.into())
}

/// Whether the process is alive
#[utoipa::path(get, path = "/livez", tag = "operations", responses(
    (status = 200, description = "The process is alive", body = Liveness),
))]
async fn livez() -> Json<Liveness> {
    Json(Liveness { alive: true })
}

/// Whether the program is ready
#[utoipa::path(get, path = "/readyz", tag = "operations", params(
    ("exclude" = Option<String>, Query, description = "Names of checks to skip, separated by \
      commas: for example, a consumer can answer API requests without `consumer`", example = "consumer"),
), responses(
    (status = 200, description = "The program is ready", body = Readiness),
    (status = 503, description = "A check fails", body = Readiness,
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
