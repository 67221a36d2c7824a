//! Requests of clumsy and of hostile clients. Each is answered as the OpenAPI document, RFC 9110 and
//! RFC 9457 say.

mod bodies;
mod headers;
mod paths;

use axum::body::Body;
use axum::http::{HeaderName, Method, Request};

use crate::client::{Answer, Client};

/// A UUID that no order has.
const UNKNOWN: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// Sends a request with these headers, which may be repeated.
async fn send(
    client: &Client,
    method: &str,
    path: &str,
    headers: &[(&'static str, &[u8])],
    body: impl Into<Body>,
) -> Answer {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = Request::builder().method(method).uri(path).body(body.into()).unwrap();
    for (name, value) in headers {
        let name = HeaderName::from_static(name);
        request.headers_mut().append(name, (*value).try_into().unwrap());
    }
    client.send(request).await
}
