use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode};
use futures_util::stream::{StreamExt as _, iter, pending, unfold};
use serde_json::json;
use test_support::Log;
use tokio::time::{Instant, sleep};

use super::{JSON, ask, ask_for, send};
use crate::BODY_LIMIT;

#[tokio::test]
async fn a_json_object_is_read_under_any_json_content_type() {
    for content_type in [JSON, "Application/JSON; charset=utf-8", "application/vnd.basket+json"] {
        let body = r#"{"name":"Ada","items":[{"quantity":2}]}"#;
        let answer = send("/baskets", content_type, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{content_type}: {}", answer.body);
        assert_eq!(answer.json(), json!({"name": "Ada", "quantities": [2]}));
    }
}

#[tokio::test]
async fn another_content_type_is_refused() {
    for content_type in ["text/plain", "", "application/jsonp", "text/json", "json"] {
        let answer = send("/baskets", content_type, "{}").await;
        answer.problem(415, "unsupported-media-type");
    }
    let answer = ask(Request::post("/baskets").body(Body::from("{}")).unwrap()).await;
    answer.problem(415, "unsupported-media-type");
}

#[tokio::test]
async fn a_compressed_body_is_refused() {
    let send = |path: &str, codings: &[&str], body: &'static [u8]| {
        let request = Request::post(path).header("content-type", JSON);
        let request = codings.iter().fold(request, |r, value| r.header("content-encoding", *value));
        ask(request.body(Body::from(body)).unwrap())
    };
    let body = br#"{"name":"Ada","items":[]}"#;
    for path in ["/baskets", "/maybe"] {
        for codings in [&["gzip"][..], &["BR"], &["identity, zstd"], &["identity", "deflate"]] {
            for body in [&b"\x1f\x8b\x08"[..], body] {
                let answer = send(path, codings, body).await;
                answer.problem(415, "unsupported-content-encoding");
                assert_eq!(answer.header("accept-encoding"), "identity");
            }
        }
        for codings in [&["identity"][..], &[""], &["Identity , identity"]] {
            let answer = send(path, codings, body).await;
            assert_eq!(answer.status, StatusCode::OK, "{codings:?}: {}", answer.body);
        }
    }
    let page = ask_for("/problems/unsupported-content-encoding").await;
    assert_eq!(page.status, StatusCode::OK);
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused_with_line_and_column() {
    for (body, place) in [
        ("", "line 1, column 0"),
        ("{", "line 1, column 1"),
        ("{\n  oops", "line 2, column 3"),
        (r#"{"name":"Ada","items":[]} {}"#, "line 1, column 27"),
        // The first error is a wrong type, but the body is not JSON either.
        (r#"{"name":1,"items":["#, "line 1, column 19"),
        ("{\"name\":\"\u{1}\",\"items\":[]}", "line 1, column 10"),
    ] {
        let problem = send("/baskets", JSON, body).await.problem(400, "malformed-body");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with(place), "{body}: {detail}");
        assert!(!detail.contains("at line"), "{detail}");
    }
    for body in [&b"{\"name\":\"\xff\",\"items\":[]}"[..], b"{\"name\":1,\"items\":[\"\xff\"]}"] {
        send("/baskets", JSON, body).await.problem(400, "malformed-body");
    }
}

#[tokio::test]
async fn a_value_of_the_wrong_type_is_reported_with_its_pointer() {
    for (body, pointer) in [
        ("[]", "#"),
        ("null", "#"),
        (r#"["Ada",[]]"#, "#"),
        (r#"{"items":[]}"#, "#/name"),
        (r#"{"name":"Ada"}"#, "#/items"),
        (r#"{"name":null,"items":[]}"#, "#/name"),
        (r#"{"name":"Ada","items":{}}"#, "#/items"),
        (r#"{"name":"Ada","items":[[1]]}"#, "#/items/0"),
        (r#"{"name":"Ada","items":[{}]}"#, "#/items/0/quantity"),
        (r#"{"name":"Ada","items":[{"quantity":"2"}]}"#, "#/items/0/quantity"),
        (r#"{"name":"Ada","items":[{"quantity":1.5}]}"#, "#/items/0/quantity"),
        (r#"{"name":"Ada","items":[{"quantity":9223372036854775808}]}"#, "#/items/0/quantity"),
        (r#"{"name":"Ada","items":[{"quantity":1},{"quantity":1e99}]}"#, "#/items/1/quantity"),
        (r#"{"name":"Ada","items":[{"quantity":1},{"quantity":1e400}]}"#, "#/items/1/quantity"),
        (r#"{"name":"Ada","items":[{"quantity":-1e400}]}"#, "#/items/0/quantity"),
        (r#"{"name":"Ada","items":[],"note":1e400}"#, "#/note"),
        (r#"{"name":1e400,"items":[]}"#, "#/name"),
        (r#"{"name":"\ud800","items":[]}"#, "#/name"),
        (r#"{"name":"Ada","items":[{"quantity":1,"a/b é":1}]}"#, "#/items/0/a~1b%20%C3%A9"),
        (r#"{"name":"Ada","items":[],"note":1}"#, "#/note"),
        (r#"{"name":"Ada","name":"Bob","items":[]}"#, "#/name"),
    ] {
        let problem = send("/baskets", JSON, body).await.problem(422, "invalid-body");
        let errors = problem["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{problem}");
        assert_eq!(errors[0]["pointer"], pointer, "{body}: {problem}");
        let detail = errors[0]["detail"].as_str().unwrap();
        assert!(!detail.contains("at line") && !detail.contains("i64"), "{detail}");
    }
}

#[tokio::test]
async fn a_long_wrong_value_is_shortened_in_the_answer() {
    let body = format!(r#"{{"name":"Ada","items":"{}"}}"#, "é".repeat(20_000));
    let answer = send("/baskets", JSON, body).await;
    answer.problem(422, "invalid-body");
    assert!(answer.body.len() < 1000, "{}", answer.body.len());
}

#[tokio::test]
async fn a_body_may_have_at_most_64_kib() {
    let body = |size: usize| {
        let rest = r#"{"name":"","items":[]}"#.len();
        format!(r#"{{"name":"{}","items":[]}}"#, "a".repeat(size - rest))
    };
    assert_eq!(send("/baskets", JSON, body(BODY_LIMIT)).await.status, StatusCode::OK);
    let answer = send("/baskets", JSON, body(BODY_LIMIT + 1)).await;
    assert_eq!(answer.headers["connection"], "close");
    answer.problem(413, "body-too-large");
}

#[tokio::test]
async fn an_optional_body_is_parsed_strictly_if_it_is_present() {
    let empty = || Request::post("/maybe");
    let answer = ask(empty().body(Body::empty()).unwrap()).await;
    assert_eq!(answer.json(), json!({"given": false}));
    let answer = ask(empty().header("content-type", JSON).body(Body::empty()).unwrap()).await;
    assert_eq!(answer.json(), json!({"given": false}));
    let answer = send("/maybe", JSON, r#"{"name":"Ada","items":[]}"#).await;
    assert_eq!(answer.json(), json!({"given": true}));
    assert_eq!(send("/maybe", JSON, "null").await.json(), json!({"given": false}));
    send("/maybe", JSON, "[]").await.problem(422, "invalid-body");
    send("/maybe", JSON, " ").await.problem(400, "malformed-body");
    send("/maybe", "text/plain", "x").await.problem(415, "unsupported-media-type");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_in_time_is_the_fault_of_the_client() {
    let half = || iter([Ok::<_, io::Error>(Bytes::from_static(b"{\"name\":"))]);
    let stalled = Body::from_stream(half().chain(pending()));
    // Each part is in time, but not the whole.
    let trickle = Body::from_stream(unfold((), |()| async {
        sleep(Duration::from_secs(1)).await;
        Some((Ok::<_, io::Error>(Bytes::from_static(b" ")), ()))
    }));
    for body in [stalled, trickle] {
        let begin = Instant::now();
        let (log, _guard) = Log::of_this_thread();
        let answer = send("/baskets", JSON, body).await;
        answer.problem(408, "body-timeout");
        assert_eq!(answer.header("connection"), "close");
        assert!(begin.elapsed() < Duration::from_secs(6), "{:?}", begin.elapsed());
        assert_eq!(log.lines(), [""; 0]);
    }
    let (log, _guard) = Log::of_this_thread();
    ask_for("/hang").await.problem(503, "unavailable");
    assert_eq!(log.lines().len(), 1, "work that takes too long is an outage");
}
