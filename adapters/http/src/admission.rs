use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use metrics::counter;
use tokio::sync::Semaphore;

use super::json_body::whole_body;
use super::surge::Surge;
use super::{Problem, ProblemType};

/// The limit on how many requests are worked on at the same time. Clones are one.
#[derive(Debug, Clone)]
pub(super) struct Admission {
    places: Arc<Semaphore>,
    full: Surge,
}

impl Admission {
    pub(super) fn new(max_in_flight: u32) -> Self {
        let full =
            Surge::of("requests", "those over HTTP_MAX_IN_FLIGHT are answered with 503 at once");
        Self { places: Arc::new(Semaphore::new(max_in_flight as usize)), full }
    }
}

/// Works on the request if there is a place for it, and refuses it at once if not: a queue would
/// only let everybody wait until nobody wants the answer any more.
///
/// A request takes its place once its body is there, so that slow clients take none.
pub(super) async fn admit(
    State(admission): State<Admission>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let request = with_whole_body(request).await?;
    let Ok(_place) = admission.places.try_acquire() else {
        admission.full.begins();
        counter!("http_requests_shed_total").increment(1);
        let detail = "other requests keep the service busy; nothing was done";
        return Err(Problem::new(ProblemType::Overloaded, detail));
    };
    admission.full.ends();
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
