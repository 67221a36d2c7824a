use std::sync::{Mutex, PoisonError};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use runtime::StartError;

/// Histogram buckets in seconds: from a tenth of the usual time to store an order up to the request
/// timeout.
const BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The metrics of the process, for `/metrics`. Programs in the same process share them.
pub(super) fn recorder() -> Result<PrometheusHandle, StartError> {
    static RECORDER: Mutex<Option<PrometheusHandle>> = Mutex::new(None);
    let failed = |error| StartError::other("cannot start the recorder of metrics", error);

    let mut recorder = RECORDER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*recorder {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(failed)?;
    metrics::describe_counter!("http_requests_total", "Requests answered");
    metrics::describe_histogram!("http_request_duration_seconds", "Time to answer a request");
    metrics::describe_counter!(
        "http_requests_shed_total",
        "Requests refused with 503 because the limit of concurrent requests was reached"
    );
    metrics::describe_gauge!("http_connections", "Open connections");
    metrics::describe_counter!(
        "http_connections_closed_total",
        "Connections that the server closed because of a timeout or the connection limit"
    );
    *recorder = Some(handle.clone());
    Ok(handle)
}
