//! What browsers are refused, and what they are told about an answer.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::{Problem, ProblemType};

/// Of answers that are data: they load nothing, and no page shows them in a frame.
const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// Of the pages of Swagger UI: they load what this server has. Styles are also set in place, and
/// some pictures are part of the styles.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; \
                           style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                           connect-src 'self'; base-uri 'none'; form-action 'none'; \
                           frame-ancestors 'none'";

/// How long a browser may keep the files of Swagger UI.
const PAGE_CACHE: &str = "max-age=3600";

/// Refuses a request that changes something and that a page of another site makes a browser send.
/// A form can do that without asking first, and the browser may be where only friends are.
///
/// Clients other than browsers send none of these headers, and are not concerned.
///
/// # Errors
/// When it is such a request.
pub async fn refuse_cross_site(request: Request, next: Next) -> Result<Response, Problem> {
    if request.method().is_safe() || !is_cross_site(request.headers()) {
        return Ok(next.run(request).await);
    }
    let detail = "a browser sent this for a page of another site";
    Err(Problem::new(ProblemType::CrossSite, detail))
}

/// Browsers say where a request comes from, except to hosts without TLS; and all name the origin
/// of the page. `none` is a request of the user.
fn is_cross_site(headers: &HeaderMap) -> bool {
    match headers.get("sec-fetch-site") {
        Some(site) => !matches!(site.as_bytes(), b"same-origin" | b"none"),
        None => headers.get(header::ORIGIN).is_some_and(|origin| !is_own(origin, headers)),
    }
}

/// Whether the origin is the host that was asked.
fn is_own(origin: &HeaderValue, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    let (Some(host), Some((scheme, origin))) = (host, origin) else { return false };
    let port = if scheme == "https" { ":443" } else { ":80" };
    let without_port = |text: &str| text.strip_suffix(port).unwrap_or(text).to_ascii_lowercase();
    without_port(origin) == without_port(host)
}

/// Tells browsers to keep no answer, to take it for nothing but what it says it is, and to let no
/// other site show it.
pub(super) async fn security_headers(request: Request, next: Next) -> Response {
    let is_page = request.uri().path().starts_with("/swagger-ui");
    let mut answer = next.run(request).await;
    let is_page = is_page && answer.status().is_success();
    let (policy, cache) =
        if is_page { (PAGE_POLICY, PAGE_CACHE) } else { (DATA_POLICY, "no-store") };
    let headers: [(HeaderName, &'static str); 4] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, cache),
    ];
    for (name, value) in headers {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}
