use axum::body::Body;
use axum::http::{Request, StatusCode};
use runtime::Check;
use serde_json::json;

use super::{ask, ask_for, ask_of, program, stuck};

fn readyz() -> Request<Body> {
    Request::get("/readyz").body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_process_is_alive_and_ready_when_all_checks_succeed() {
    assert_eq!(ask_for("/livez").await.json(), json!({"alive": true}));
    let there = Check::new("there", || async { Ok(()) });
    let answer = ask_of(program(vec![there]), readyz()).await;
    assert_eq!(answer.status, StatusCode::OK);
    let checks = json!([{"name": "there", "ready": true}]);
    assert_eq!(answer.json(), json!({"ready": true, "checks": checks}));
}

#[tokio::test(start_paused = true)]
async fn a_process_is_not_ready_when_a_check_fails_or_hangs() {
    let there = Check::new("there", || async { Ok(()) });
    let gone = Check::new("gone", || async { Err("no route to 10.0.0.1".to_owned()) });
    let answer = ask_of(program(vec![there, gone, stuck()]), readyz()).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json()["ready"], false);
    let checks = json!([
        {"name": "there", "ready": true},
        {"name": "gone", "ready": false},
        {"name": "stuck", "ready": false},
    ]);
    assert_eq!(answer.json()["checks"], checks);
    assert!(!answer.body.contains("10.0.0.1"));
}

#[tokio::test]
async fn a_check_may_show_its_reason() {
    let halted = Check::new("halted", || async { Err("partitions were added".to_owned()) });
    let answer = ask_of(program(vec![halted.showing_reason()]), readyz()).await;
    assert_eq!(answer.json()["checks"][0]["reason"], "partitions were added");
}

#[tokio::test]
async fn a_warning_is_shown_and_does_not_make_the_process_unready() {
    let warned = Check::new("warned", || async { Ok(()) })
        .with_warning(|| Some("records were deleted".to_owned()));
    let answer = ask_of(program(vec![warned]), readyz()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.json(),
        json!({"ready": true, "checks": [
            {"name": "warned", "ready": true, "warning": "records were deleted"},
        ]})
    );
}

#[tokio::test]
async fn a_check_can_be_excluded() {
    let checks = || {
        let gone = |name| Check::new(name, || async { Err("gone".to_owned()) });
        vec![Check::new("there", || async { Ok(()) }), gone("kafka"), gone("mail")]
    };
    for (path, status) in [
        ("/readyz?exclude=kafka,mail", StatusCode::OK),
        ("/readyz?exclude=kafka&exclude=mail", StatusCode::OK),
        ("/readyz?exclude=kafka", StatusCode::SERVICE_UNAVAILABLE),
        ("/readyz?exclude=", StatusCode::SERVICE_UNAVAILABLE),
        ("/readyz?verbose", StatusCode::SERVICE_UNAVAILABLE),
    ] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        assert_eq!(ask_of(program(checks()), request).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn a_request_continues_the_trace_of_its_traceparent() {
    let named = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let request = Request::get("/trace").header("traceparent", named);
    let answer = ask(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.body, "4bf92f3577b34da6a3ce929d0e0e4736");
}

#[tokio::test]
async fn a_request_without_a_valid_traceparent_starts_a_trace() {
    let request = || Request::get("/trace").header("traceparent", "nonsense");
    let first = ask(request().body(Body::empty()).unwrap()).await.body;
    let second = ask_for("/trace").await.body;
    assert_eq!((first.len(), second.len()), (32, 32));
    assert_ne!(first, second);
}

#[tokio::test]
async fn requests_are_counted_by_method_route_and_status() {
    ask_for("/numbers/17").await;
    ask_for("/no/such/path").await;
    let request = Request::builder().method("INVENTED").uri("/keyed");
    ask(request.body(Body::empty()).unwrap()).await;
    let answer = ask_for("/metrics").await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4");
    for line in [
        r#"http_requests_total{method="GET",route="/numbers/{number}",status="200"} "#,
        r#"http_requests_total{method="GET",route="unmatched",status="404"} "#,
        r#"http_requests_total{method="other",route="/keyed",status="405"} "#,
        r#"http_request_duration_seconds_bucket{method="GET",route="/numbers/{number}",status="200",le="0.01"} "#,
    ] {
        assert!(answer.body.contains(line), "{line}\n{}", answer.body);
    }
    assert!(!answer.body.contains("/no/such/path") && !answer.body.contains("INVENTED"));
}

#[tokio::test]
async fn the_root_redirects_to_a_swagger_ui_that_loads_nothing_from_elsewhere() {
    let root = ask_for("/").await;
    assert_eq!(root.status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(root.header("location"), "swagger-ui/");
    let page = ask_for("/swagger-ui/").await;
    assert_eq!(page.status, StatusCode::OK);
    for (before, rest) in
        page.body.match_indices("src=\"./").chain(page.body.match_indices("href=\"./"))
    {
        let file = page.body[before + rest.len()..].split('"').next().unwrap();
        assert_eq!(ask_for(&format!("/swagger-ui/{file}")).await.status, StatusCode::OK, "{file}");
    }
    assert!(!page.body.contains("//"), "no file is fetched from elsewhere:\n{}", page.body);
    let settings = ask_for("/swagger-ui/swagger-initializer.js").await.body;
    assert!(settings.contains(r#""url": "openapi.json""#), "{settings}");
    assert!(settings.contains(r#""validatorUrl": "none""#), "{settings}");
}

#[tokio::test]
async fn the_api_documents_itself_and_its_problems() {
    let document = ask_for("/openapi.json").await.json();
    for path in ["/livez", "/readyz"] {
        assert!(document["paths"][path]["get"].is_object(), "{document}");
    }
    for schema in ["Problem", "FieldError"] {
        assert!(document["components"]["schemas"][schema].is_object(), "{document}");
    }
}
