use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use super::{ask, ask_for};

#[tokio::test]
async fn an_unknown_route_is_a_problem() {
    for path in ["/nowhere", "/swagger-ui/nowhere.js", "/problems/nothing", "/numbers", "//"] {
        ask_for(path).await.problem(404, "not-found");
    }
}

#[tokio::test]
async fn an_unsupported_method_is_a_problem_with_the_supported_ones_in_allow() {
    for (path, allow) in [("/baskets", "POST"), ("/search", "GET,HEAD"), ("/livez", "GET,HEAD")] {
        let answer = ask(Request::delete(path).body(Body::empty()).unwrap()).await;
        answer.problem(405, "method-not-allowed");
        assert_eq!(answer.header("allow"), allow);
    }
}

#[tokio::test]
async fn a_wrong_path_parameter_is_named() {
    assert_eq!(ask_for("/numbers/255").await.json(), json!(255));
    for path in ["/numbers/256", "/numbers/x", "/numbers/%20", "/numbers/%ff", "/numbers/%c0%80"] {
        let problem = ask_for(path).await.problem(400, "invalid-parameter");
        assert_eq!(problem["errors"][0]["parameter"], "number", "{path}");
    }
}

#[tokio::test]
async fn all_wrong_query_parameters_are_named_at_once() {
    let answer = ask_for("/search?name=a%20b&limit=7").await;
    assert_eq!(answer.json(), json!({"limit": 7, "name": "a b"}));
    assert_eq!(ask_for("/search").await.json(), json!({"limit": null, "name": null}));

    let problem = ask_for("/search?limit=x&name=a&name=b&other=1").await;
    let problem = problem.problem(400, "invalid-parameter");
    let named = |error: &Value| error["parameter"].as_str().unwrap().to_owned();
    let names: Vec<_> = problem["errors"].as_array().unwrap().iter().map(named).collect();
    assert_eq!(names, ["limit", "name", "other"]);
}

#[tokio::test]
async fn a_wrong_header_is_named() {
    let keyed = |values: &[&[u8]]| {
        let request = Request::get("/keyed");
        let request = values.iter().fold(request, |r, value| r.header("x-number", *value));
        ask(request.body(Body::empty()).unwrap())
    };
    assert_eq!(keyed(&[]).await.json(), json!(null));
    assert_eq!(keyed(&[b"7"]).await.json(), json!(7));
    for values in [&[&b"x"[..]][..], &[b""], &[b"\xff"], &[b"1", b"1"]] {
        let problem = keyed(values).await.problem(400, "invalid-parameter");
        assert_eq!(problem["errors"][0]["header"], "X-Number");
    }
}

#[tokio::test]
async fn a_server_error_shows_the_client_only_the_trace_id() {
    for path in ["/panic", "/broken"] {
        let answer = ask_for(path).await;
        let problem = answer.problem(500, "internal");
        assert_eq!(problem["traceId"].as_str().unwrap().len(), 32);
        assert!(!answer.body.contains("1234"), "{}", answer.body);
    }
}

#[tokio::test]
async fn an_outage_is_answered_with_retry_after() {
    let answer = ask_for("/outage").await;
    answer.problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "2");
    assert!(!answer.body.contains("10.0.0.1"), "{}", answer.body);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_is_answered_with_503() {
    let answer = ask_for("/hang").await;
    answer.problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "2");
}

#[tokio::test]
async fn every_problem_type_has_a_page() {
    for path in ["/nowhere", "/broken", "/outage", "/numbers/x"] {
        let kind = ask_for(path).await.json()["type"].as_str().unwrap().to_owned();
        let page = ask_for(&kind).await;
        assert_eq!(page.status, StatusCode::OK, "{kind}");
        assert!(page.header("content-type").starts_with("text/plain"));
    }
}
