use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Version, header};
use axum::response::{IntoResponse as _, Response};

use crate::{Problem, ProblemType};

/// The answer to a request that RFC 9112 forbids to handle, although hyper has read its head.
pub(super) fn refused<B>(request: &Request<B>) -> Option<Response> {
    let headers = request.headers();
    let problem = if request.version() == Version::HTTP_11 && !has_one_host(headers) {
        Problem::new(ProblemType::MalformedHead, "the request must have one valid Host header")
    } else if !is_only_chunked(headers) {
        let kind = ProblemType::Other(StatusCode::NOT_IMPLEMENTED);
        Problem::new(kind, "the only supported transfer coding is chunked")
    } else {
        return None;
    };
    let mut answer = problem.into_response();
    let headers: [(HeaderName, &'static str); 3] = [
        (header::CONNECTION, "close"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in headers {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Some(answer)
}

/// Whether there is exactly one `Host`, which is valid (RFC 9112, 3.2). It may be empty.
fn has_one_host(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter().map(HeaderValue::as_bytes);
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    host.is_empty() || (!host.contains(&b'@') && Authority::try_from(host).is_ok())
}

/// Whether the body has no transfer coding other than `chunked` (RFC 9112, 6.1).
fn is_only_chunked(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter().map(HeaderValue::as_bytes);
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(coding), None) => coding.eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => false,
    }
}
