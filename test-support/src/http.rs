use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use serde_json::Value;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

/// The answer to a `GET`: its status and its JSON body, which is a problem unless the status is 200.
pub async fn get_json(router: &Router, path: &str) -> (StatusCode, Value) {
    send(router, Request::get(path).body(Body::empty()).unwrap()).await
}

/// The answer to a `POST` of this JSON, like [`get_json`].
pub async fn post_json(router: &Router, path: &str, body: &Value) -> (StatusCode, Value) {
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
    send(router, request.body(Body::from(body.to_string())).unwrap()).await
}

async fn send(router: &Router, request: Request<Body>) -> (StatusCode, Value) {
    let answer = router.clone().oneshot(request).await.unwrap();
    let status = answer.status();
    let expected = match status {
        StatusCode::OK => "application/json",
        _ => "application/problem+json",
    };
    assert_eq!(answer.headers()[header::CONTENT_TYPE], expected);
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

/// An address of this host that is not in use.
pub async fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}
