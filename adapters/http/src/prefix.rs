//! Links in answers behind a gateway that strips a path prefix, such as `/orders-service`.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

/// Maximum length of a prefix in bytes.
const MAX_PREFIX: usize = 200;

/// The prefix that the gateway stripped, from `X-Forwarded-Prefix`; it does not end with `/`.
///
/// Clients can send this header too. Only a path of unreserved characters is believed, so that a
/// link cannot lead to another host.
pub(super) fn forwarded_prefix(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all("x-forwarded-prefix").iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let prefix = value.to_str().ok()?;
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    let mut segments = prefix.strip_prefix('/')?.split('/');
    (prefix.len() <= MAX_PREFIX && segments.all(is_segment)).then_some(prefix)
}

fn is_segment(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    !matches!(text, "" | "." | "..") && text.chars().all(allowed)
}

/// Adds the prefix to the paths in `Location`. Without a prefix, redirects to Swagger UI become
/// relative, so that they work behind a gateway that does not forward its prefix.
pub(super) async fn prefix_location(request: Request, next: Next) -> Response {
    let prefix = forwarded_prefix(request.headers()).map(str::to_owned);
    let mut answer = next.run(request).await;
    let location = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    let Some(path) = location.filter(|location| location.starts_with('/')) else { return answer };
    let link = match prefix {
        Some(prefix) => format!("{prefix}{path}"),
        None if path == "/swagger-ui/" => "swagger-ui/".to_owned(),
        None => return answer,
    };
    if let Ok(link) = HeaderValue::try_from(link) {
        answer.headers_mut().insert(header::LOCATION, link);
    }
    answer
}
