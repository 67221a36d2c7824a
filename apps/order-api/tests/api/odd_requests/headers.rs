use axum::http::StatusCode;

use super::{UNKNOWN, send};
use crate::client::{Client, an_order};

const JSON: (&str, &[u8]) = ("content-type", b"application/json");

#[tokio::test]
async fn a_body_with_another_content_type_is_refused_and_nothing_is_stored() {
    let client = Client::new().await;
    for types in [
        &[][..],
        &[&b""[..]],
        &[b"json"],
        &[b"text/json"],
        &[b"text/plain; application/json"],
        &[b"application/"],
        &[b"application/ +json"],
        &[b"application/+json"],
        &[b"application/x json"],
        &[b"application/json/json"],
        &[b"application/json, text/plain"],
        &[b"text/plain, application/json"],
        &[b"application/xml, application/a+json"],
        &[b"application/json\xff"],
        &[b"application/json-seq"],
        &[b"multipart/form-data; boundary=x"],
        &[b"application/json", b"text/plain"],
        &[b"text/plain", b"application/json"],
        &[b"application/json", b"application/json"],
    ] {
        let headers: Vec<_> = types.iter().map(|value| ("content-type", *value)).collect();
        let answer = send(&client, "POST", "/api/orders", &headers, an_order().to_string()).await;
        assert_eq!(answer.status, 415, "{types:?}: {}", answer.body);
        answer.problem(415, "unsupported-media-type");
    }
    client.assert_nothing_stored("other content types").await;
}

/// JSON has no parameter `charset`: it is UTF-8 (RFC 8259, sections 8.1 and 11).
#[tokio::test]
async fn parameters_of_the_content_type_are_ignored_and_the_body_must_be_utf_8() {
    let client = Client::new().await;
    let order = an_order().to_string();
    let utf_16: Vec<u8> = order.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for value in [
        "application/json; charset=utf-8",
        "application/json;charset=utf-16",
        "APPLICATION/JSON ; charset=\"",
        "application/problem+json",
    ] {
        let headers = [("content-type", value.as_bytes())];
        let answer = send(&client, "POST", "/api/orders", &headers, utf_16.clone()).await;
        answer.problem(400, "malformed-body");
        let answer = send(&client, "POST", "/api/orders", &headers, order.clone()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{value}: {}", answer.body);
    }
}

/// RFC 9110 allows a server to ignore these, and requires it for a `Range` that it does not support.
#[tokio::test]
async fn headers_that_ask_for_something_unsupported_are_ignored() {
    let client = Client::new().await;
    let placed = client.placed().await;
    let path = format!("/api/orders/{}", placed["orderId"].as_str().unwrap());
    for header in [
        ("accept", &b"text/html"[..]),
        ("accept", b"application/json;q=0"),
        ("accept", b"\xff"),
        ("accept-charset", b"utf-16"),
        ("accept-encoding", b"br, identity;q=0"),
        ("accept-language", b"tlh"),
        ("range", b"bytes=0-3"),
        ("range", b"bytes=9-3, x"),
        ("if-range", b"\"1\""),
        ("if-modified-since", b"yesterday"),
        ("if-none-match", b"1"),
        ("if-none-match", b"\"1"),
        ("if-none-match", b"\xff"),
        ("prefer", b"return=minimal, ;;=,"),
        ("traceparent", b"00-0-0-00"),
        ("traceparent", b"00-00000000000000000000000000000000-0000000000000000-00"),
        ("traceparent", b"\xff"),
        ("tracestate", b"="),
        ("cookie", b"a=b; ;=\xff"),
        ("authorization", b"Basic \xff"),
        ("x-http-method-override", b"DELETE"),
        ("x-forwarded-prefix", b"//evil.example"),
        ("forwarded", b"host=evil.example"),
        ("content-type", b"text/plain"),
    ] {
        let answer = send(&client, "GET", &path, &[header], "").await;
        assert_eq!(answer.status, StatusCode::OK, "{header:?}: {}", answer.body);
        assert_eq!(answer.json(), placed, "{header:?}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{header:?}");
        let headers = [JSON, header];
        let headers = if header.0 == JSON.0 { &headers[..1] } else { &headers };
        let answer = send(&client, "POST", "/api/orders", headers, an_order().to_string()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{header:?}: {}", answer.body);
        assert!(answer.header("location").unwrap().starts_with("/api/orders/"), "{header:?}");
    }
    let answer = send(&client, "GET", &path, &[], "{\"a\":1}").await;
    assert_eq!(answer.json(), placed, "a body of a GET request is ignored");
}

/// A header, and the status and the type of the problem that it leads to.
#[tokio::test]
async fn a_wrong_precondition_or_key_is_named_and_nothing_is_cancelled() {
    let client = Client::new().await;
    let placed = client.placed().await;
    let path = format!("/api/orders/{}/cancel", placed["orderId"].as_str().unwrap());
    let many = vec!["\"2\""; 5000].join(", ");
    let long = format!("\"{}\"", "1".repeat(30_000));
    let if_match = "if-match";
    let other = [
        &[(if_match, &b"\"2\""[..])][..],
        &[(if_match, b"W/\"1\"")],
        &[(if_match, b"\"\"")],
        &[(if_match, b"\"01\"")],
        &[(if_match, b"\"+1\"")],
        &[(if_match, b"\"9223372036854775808\"")],
        &[(if_match, b"\"\xff\"")],
        &[(if_match, b"\"2\",, ,\"3\",")],
        &[(if_match, b"\"2\""), (if_match, b"\"3\"")],
        &[(if_match, many.as_bytes())],
        &[(if_match, long.as_bytes())],
    ];
    for headers in other {
        let answer = send(&client, "POST", &path, headers, "").await;
        assert_eq!(answer.status, 412, "{headers:?}: {}", answer.body);
        answer.problem(412, "precondition-failed");
    }
    let key = "idempotency-key";
    let wrong = [
        (&[(if_match, &b""[..])][..], "If-Match"),
        (&[(if_match, b",")], "If-Match"),
        (&[(if_match, b"1")], "If-Match"),
        (&[(if_match, b"\"1")], "If-Match"),
        (&[(if_match, b"\"1\" \"2\"")], "If-Match"),
        (&[(if_match, b"\"1 2\"")], "If-Match"),
        (&[(if_match, b"w/\"1\"")], "If-Match"),
        (&[(if_match, b"**")], "If-Match"),
        (&[(if_match, b"*, \"1\"")], "If-Match"),
        (&[(if_match, b"*"), (if_match, b"\"1\"")], "If-Match"),
        (&[(if_match, b"\xff")], "If-Match"),
        (&[(key, b"")], "Idempotency-Key"),
        (&[(key, b"a"), (key, b"b")], "Idempotency-Key"),
        (&[(key, b"a"), (key, b"a")], "Idempotency-Key"),
        (&[(key, b"a b")], "Idempotency-Key"),
        (&[(key, b"a\tb")], "Idempotency-Key"),
        (&[(key, b"\xff")], "Idempotency-Key"),
        (&[(key, "\u{e9}".as_bytes())], "Idempotency-Key"),
        (&[(key, &[b'k'; 256])], "Idempotency-Key"),
    ];
    for (headers, name) in wrong {
        let answer = send(&client, "POST", &path, headers, "").await;
        assert_eq!(answer.status, 400, "{headers:?}: {}", answer.body);
        assert_eq!(answer.places(400, "invalid-parameter", "header"), [name], "{headers:?}");
    }
    assert_eq!(client.events().await.len(), 1);
    // RFC 9110, 13.2.1: without an order, the precondition does not count.
    let unknown = format!("/api/orders/{UNKNOWN}/cancel");
    send(&client, "POST", &unknown, &[(if_match, b"*")], "").await.problem(404, "not-found");
}
