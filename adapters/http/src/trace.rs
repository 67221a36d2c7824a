use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::Response;
use runtime::Outage;
use runtime::trace_context::TraceParent;
use tracing::{Instrument, field};

use super::problem::Cause;

/// Handles the request in the trace of its `traceparent` header, or in a new trace. Records it in
/// the log and in the metrics. Requests that fail because of an outage are logged once per outage.
pub(super) async fn trace(State(outage): State<Outage>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let trace = trace_parent(request.headers()).map_or_else(TraceParent::root, TraceParent::child);
    let method = method_label(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    // The number of label values must be limited, so unknown paths share one.
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    let span = tracing::info_span!(
        "request",
        trace_id = %trace.trace_id(),
        method,
        route,
        status = field::Empty,
        latency_ms = field::Empty,
    );
    let response = trace.scope(next.run(request).instrument(span.clone())).await;

    let latency = start.elapsed();
    let status = response.status().as_u16();
    span.record("status", status).record("latency_ms", latency.as_secs_f64() * 1e3);
    span.in_scope(|| {
        tracing::debug!("request answered");
        match response.extensions().get::<Cause>() {
            Some(Cause(why)) if status == 503 => outage.report_failure(why),
            Some(Cause(why)) => tracing::error!("request failed with status {status}: {why}"),
            // Other routes and refused requests do not use the service that may be down.
            None if route.starts_with("/api/") && response.status().is_success() => {
                outage.report_success();
            }
            None => {}
        }
    });
    let labels = [
        ("method", method.to_owned()),
        ("route", route.to_owned()),
        ("status", status.to_string()),
    ];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_duration_seconds", &labels).record(latency);
    response
}

fn trace_parent(headers: &HeaderMap) -> Option<TraceParent> {
    headers.get("traceparent")?.to_str().ok()?.parse().ok()
}

/// The method as a metric label. Unknown methods share one, since clients can send any.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
