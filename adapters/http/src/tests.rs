//! Requests to a small program.

mod bodies;
mod browsers;
mod common_routes;
mod connections;
mod dead_letters;
mod faults;
mod framing;
mod overload;
mod prefix;
mod server;

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use runtime::trace_context::TraceParent;
use serde::Deserialize;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use utoipa_axum::router::OpenApiRouter;

use runtime::Check;
use runtime::config::MAX_IN_FLIGHT;

use super::{JsonBody, Object, PathParameter, Problem, QueryParameters, header, site};

const JSON: &str = "application/json";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Basket {
    name: String,
    items: Vec<Object<Item>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    quantity: i64,
}

async fn store(JsonBody(basket): JsonBody<Basket>) -> Json<Value> {
    let quantities: Vec<i64> = basket.items.iter().map(|item| item.0.quantity).collect();
    Json(json!({"name": basket.name, "quantities": quantities}))
}

async fn store_optional(basket: Option<JsonBody<Basket>>) -> Json<Value> {
    Json(json!({"given": basket.is_some()}))
}

async fn number(PathParameter(number): PathParameter<u8>) -> Json<u8> {
    Json(number)
}

async fn search(mut query: QueryParameters) -> Result<Json<Value>, Problem> {
    let limit: Option<u8> = query.take("limit");
    let name: Option<String> = query.take("name");
    query.finish()?;
    Ok(Json(json!({"limit": limit, "name": name})))
}

async fn keyed(headers: HeaderMap) -> Result<Json<Option<u8>>, Problem> {
    header(&headers, "X-Number").map(Json)
}

async fn panic() -> StatusCode {
    panic!("the password is 1234");
}

async fn hang() {
    std::future::pending::<()>().await;
}

async fn broken() -> Problem {
    Problem::internal("the password is 1234")
}

async fn outage() -> Problem {
    Problem::unavailable("no route to 10.0.0.1")
}

async fn trace_id() -> String {
    TraceParent::current().map(|trace| trace.trace_id()).unwrap_or_default()
}

fn program(checks: Vec<Check>) -> Router {
    let routes = OpenApiRouter::new()
        .route("/baskets", post(store))
        .route("/maybe", post(store_optional))
        .route("/numbers/{number}", get(number))
        .route("/search", get(search))
        .route("/keyed", get(keyed))
        .route("/panic", get(panic))
        .route("/hang", get(hang))
        .route("/broken", get(broken))
        .route("/outage", get(outage))
        .route("/trace", get(trace_id));
    site(routes, checks, MAX_IN_FLIGHT).unwrap()
}

/// An HTTP answer.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Checks that the answer is this problem, and returns its body.
    #[track_caller]
    fn problem(&self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("/problems/{kind}"));
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        problem
    }
}

async fn ask(request: Request<Body>) -> Answer {
    ask_of(program(Vec::new()), request).await
}

async fn ask_of(program: Router, request: Request<Body>) -> Answer {
    let (head, body) = program.oneshot(request).await.unwrap().into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let body = String::from_utf8_lossy(&body).into_owned();
    Answer { status: head.status, headers: head.headers, body }
}

async fn ask_for(path: &str) -> Answer {
    ask(Request::get(path).body(Body::empty()).unwrap()).await
}

async fn send(path: &str, content_type: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post(path).header("content-type", content_type);
    ask(request.body(body.into()).unwrap()).await
}

/// A check that never ends.
fn stuck() -> Check {
    Check::new("stuck", || async {
        tokio::time::sleep(Duration::from_hours(1)).await;
        Ok(())
    })
}
