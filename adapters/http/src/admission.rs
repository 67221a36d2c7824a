use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use metrics::counter;
use tokio::sync::Semaphore;

use super::json_body::whole_body;
use super::limit_log::LimitLog;
use super::{Problem, ProblemType};

/// Limits the number of concurrent requests. Clones share the limit.
#[derive(Debug, Clone)]
pub(super) struct Admission {
    permits: Arc<Semaphore>,
    limit_log: LimitLog,
}

impl Admission {
    pub(super) fn new(max_in_flight: u32) -> Self {
        let limit_log =
            LimitLog::new("requests", "above HTTP_MAX_IN_FLIGHT, requests are refused with 503");
        Self { permits: Arc::new(Semaphore::new(max_in_flight as usize)), limit_log }
    }
}

/// Handles the request if the limit allows it. Otherwise refuses it at once: in a queue, requests
/// would wait until the timeouts of their clients.
///
/// A request counts only after its body was received, so that slow clients do not use up the limit.
pub(super) async fn admit(
    State(admission): State<Admission>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let request = with_whole_body(request).await?;
    let Ok(_permit) = admission.permits.try_acquire() else {
        admission.limit_log.reached();
        counter!("http_requests_shed_total").increment(1);
        let detail = "the limit of concurrent requests is reached; nothing was done";
        return Err(Problem::new(ProblemType::Overloaded, detail));
    };
    admission.limit_log.not_reached();
    Ok(next.run(request).await)
}

async fn with_whole_body(request: Request) -> Result<Request, Problem> {
    if request.body().is_end_stream() {
        return Ok(request);
    }
    let (head, body) = request.into_parts();
    let body = whole_body(Request::from_parts(head.clone(), body), &()).await?;
    Ok(Request::from_parts(head, Body::from(body)))
}
