use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::Response;
use runtime::Outage;
use runtime::trace_context::TraceParent;
use tracing::{Instrument, field};

use super::problem::Cause;

/// Answers the request as part of the trace it names, or of a new one, and notes how it went. While
/// `outage` lasts, that requests cannot be answered is told once, not for each.
pub(super) async fn trace(State(outage): State<Outage>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let trace = named(request.headers()).map_or_else(TraceParent::root, TraceParent::child);
    let method = known(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    // Labels must be few: a path that matched nothing is not one.
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
        tracing::debug!("answered");
        match response.extensions().get::<Cause>() {
            Some(Cause(why)) if status == 503 => outage.begins(why),
            Some(Cause(why)) => tracing::error!("answered {status}: {why}"),
            // Other routes, and refusals, need nothing.
            None if route.starts_with("/api/") && response.status().is_success() => outage.ends(),
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

fn named(headers: &HeaderMap) -> Option<TraceParent> {
    headers.get("traceparent")?.to_str().ok()?.parse().ok()
}

/// A client may invent methods without end.
fn known(method: &Method) -> &'static str {
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
