//! Protection against cross-site requests, and security headers of the answers.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::documentation::PAGE_DOCUMENT;
use super::{Problem, ProblemType};

/// `Content-Security-Policy` of data: it loads nothing, and no page shows it in a frame.
const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// `Content-Security-Policy` of Swagger UI: it loads files of this server only. It also uses inline
/// styles, and images inside the styles.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; \
                           style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                           connect-src 'self'; base-uri 'none'; form-action 'none'; \
                           frame-ancestors 'none'";

/// `Cache-Control` of the files of Swagger UI.
const PAGE_CACHE: &str = "max-age=3600";

/// Refuses requests that change something and that a browser sends for a page of another site. A
/// form can send them without a preflight request, and the browser may be inside the network that
/// protects this server.
///
/// Clients that are not browsers do not send these headers. Their requests are accepted.
///
/// # Errors
/// When it is such a request.
pub async fn refuse_cross_site(request: Request, next: Next) -> Result<Response, Problem> {
    if request.method().is_safe() || !is_cross_site(request.headers()) {
        return Ok(next.run(request).await);
    }
    let detail = "a browser sent the request for a page of another site";
    Err(Problem::new(ProblemType::CrossSite, detail))
}

/// Browsers send `Sec-Fetch-Site` to hosts with TLS, and `Origin` to all. The value `none` is a
/// request that the user started, not a page.
fn is_cross_site(headers: &HeaderMap) -> bool {
    match headers.get("sec-fetch-site") {
        Some(site) => !matches!(site.as_bytes(), b"same-origin" | b"none"),
        None => headers.get(header::ORIGIN).is_some_and(|origin| !is_own(origin, headers)),
    }
}

/// Whether the origin is the host of the request.
fn is_own(origin: &HeaderValue, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    let (Some(host), Some((scheme, origin))) = (host, origin) else { return false };
    let port = if scheme == "https" { ":443" } else { ":80" };
    let without_port = |text: &str| text.strip_suffix(port).unwrap_or(text).to_ascii_lowercase();
    without_port(origin) == without_port(host)
}

/// Adds headers that tell browsers not to cache an answer, not to guess its content type, and not
/// to show it in a frame of another site.
pub(super) async fn security_headers(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_page = path.starts_with("/swagger-ui") && path != PAGE_DOCUMENT;
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
