use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How long a check may take.
const PATIENCE: Duration = Duration::from_secs(2);

type Answer = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Something a program needs to do its work, and a way to ask whether it is there.
#[derive(Clone)]
pub struct Check {
    name: &'static str,
    ask: Arc<dyn Fn() -> Answer + Send + Sync>,
    warning: Arc<dyn Fn() -> Option<String> + Send + Sync>,
    shows_reason: bool,
}

impl Check {
    /// A check called `name`. What it finds wrong goes to the log, not to the client: an error of a
    /// connection may name hosts and users.
    pub fn new<F, Fut>(name: &'static str, ask: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        let ask = Arc::new(move || -> Answer { Box::pin(ask()) });
        Self { name, ask, warning: Arc::new(|| None), shows_reason: false }
    }

    /// Lets `/readyz` show what the check finds wrong. For findings in our own words.
    #[must_use]
    pub fn showing_reason(self) -> Self {
        Self { shows_reason: true, ..self }
    }

    /// Lets `/readyz` show what an operator should look at although the program does its work. It
    /// must be in our own words, and does not count against readiness.
    #[must_use]
    pub fn with_warning<F>(self, warning: F) -> Self
    where
        F: Fn() -> Option<String> + Send + Sync + 'static,
    {
        Self { warning: Arc::new(warning), ..self }
    }

    async fn run(&self) -> CheckAnswer {
        let answer = tokio::time::timeout(PATIENCE, (self.ask)()).await;
        let reason = match answer {
            Ok(answer) => answer.err(),
            Err(_) => Some(format!("no answer within {PATIENCE:?}")),
        };
        if let Some(reason) = &reason {
            tracing::debug!("{} is not ready: {reason}", self.name);
        }
        let ready = reason.is_none();
        let reason = reason.filter(|_| self.shows_reason);
        CheckAnswer { name: self.name, ready, reason, warning: (self.warning)() }
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("name", &self.name).finish_non_exhaustive()
    }
}

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
    let counts = |check: &&Check| !excluded.contains(&check.name);
    let checks = join_all(checks.iter().filter(counts).map(Check::run)).await;
    let ready = checks.iter().all(|check| check.ready);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, checks })).into_response()
}
