//! Requests over a connection whose head or whose body does not have the form of HTTP/1.1.

use runtime::config::MAX_CONNECTIONS;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use super::connections::{Server, answer, assert_problem, rest};
use super::program;

/// The head of a request with a JSON body.
const HEAD: &str = "POST /baskets HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\nconnection: close\r\n";

const BASKET: &str = r#"{"name":"Ada","items":[]}"#;

async fn server() -> Server {
    Server::of(program(Vec::new()), MAX_CONNECTIONS).await
}

/// Sends these bytes, and no more. Returns the whole answer.
async fn exchange(server: &Server, request: impl AsRef<[u8]>) -> String {
    let mut client = server.connect().await;
    client.write_all(request.as_ref()).await.unwrap();
    client.shutdown().await.unwrap();
    rest(&mut client).await
}

#[tokio::test]
async fn a_head_that_is_not_http_is_refused() {
    let server = server().await;
    let length = BASKET.len();
    for (line, headers) in [
        ("GET / HTTP/1.1", "host : test"),
        ("GET / HTTP/1.1", "host: test\r\nx: a\r\n b"),
        ("GET / HTTP/1.1", "host: test\r\nx: a\0b"),
        ("GET / HTTP/1.1", "host: test\r\n\u{e9}: a"),
        ("GET /a b HTTP/1.1", "host: test"),
        ("GET /\0 HTTP/1.1", "host: test"),
        ("GET ? HTTP/1.1", "host: test"),
        ("G(T / HTTP/1.1", "host: test"),
        ("GET / http/1.1", "host: test"),
        ("GET / HTTP/2.0", "host: test"),
        ("PRI * HTTP/2.0", ""),
        // Exactly one valid host (RFC 9112, 3.2).
        ("GET / HTTP/1.1", "x: a"),
        ("GET / HTTP/1.1", "host: a\r\nhost: a"),
        ("GET / HTTP/1.1", "host: a\r\nhost: b"),
        ("GET / HTTP/1.1", "host: a/b"),
        ("GET / HTTP/1.1", "host: a b"),
        ("GET / HTTP/1.1", "host: me@a"),
        ("GET / HTTP/1.1", "host: \u{e9}"),
        ("GET http://a/ HTTP/1.1", "x: a"),
        // A body whose end is not clear (RFC 9112, 6.3).
        ("POST /baskets HTTP/1.1", "host: a\r\ncontent-length: 25\r\ncontent-length: 26"),
        ("POST /baskets HTTP/1.1", "host: a\r\ncontent-length: 25, 25"),
        ("POST /baskets HTTP/1.1", "host: a\r\ncontent-length: +25"),
        ("POST /baskets HTTP/1.1", "host: a\r\ncontent-length: -1"),
        ("POST /baskets HTTP/1.1", "host: a\r\ncontent-length: 99999999999999999999"),
        ("POST /baskets HTTP/1.1", "host: a\r\ntransfer-encoding: gzip"),
        ("POST /baskets HTTP/1.1", "host: a\r\ntransfer-encoding: chunked, gzip"),
        ("POST /baskets HTTP/1.1", "host: a\r\ntransfer-encoding: identity"),
        ("POST /baskets HTTP/1.0", "host: a\r\ntransfer-encoding: chunked"),
    ] {
        let request = format!(
            "{line}\r\n{headers}\r\ncontent-type: application/json\r\n\r\n{BASKET}{length}"
        );
        let answer = exchange(&server, request).await;
        assert!(!answer.is_empty(), "{line} {headers:?}");
        assert_problem(&answer, "400", "malformed-head");
    }
}

#[tokio::test]
async fn unusual_heads_that_are_http_are_accepted() {
    let server = server().await;
    for (line, headers) in [
        ("GET /numbers/7 HTTP/1.1", "host:"),
        ("GET /numbers/7 HTTP/1.1", "HOST:\ttest:80 "),
        ("GET /numbers/7 HTTP/1.1", "host: [::1]:80"),
        ("GET http://other/numbers/7 HTTP/1.1", "host: test"),
        ("GET /numbers/7 HTTP/1.0", "x: a"),
        ("\r\nGET /numbers/7 HTTP/1.1", "host: test"),
        ("GET /numbers/7 HTTP/1.1", "host: test\r\nexpect: something"),
        ("GET /numbers/7 HTTP/1.1", "host: test\r\nupgrade: h2c\r\nhttp2-settings: x"),
        ("GET /numbers/7 HTTP/1.1", "host: test\r\ncontent-length: 3"),
    ] {
        let request = format!("{line}\r\n{headers}\r\nconnection: close\r\n\r\n");
        let answer = exchange(&server, format!("{request}{{}} ")).await;
        assert!(answer.contains(" 200 OK\r\n"), "{line} {headers:?}: {answer}");
        assert!(answer.ends_with("\r\n\r\n7"), "{line} {headers:?}: {answer}");
    }
}

#[tokio::test]
async fn a_body_that_is_incomplete_or_has_bad_chunks_is_refused() {
    let server = server().await;
    let length = BASKET.len();
    let chunked = "transfer-encoding: chunked\r\n\r\n";
    for body in [
        format!("content-length: {}\r\n\r\n{BASKET}", length + 1),
        format!("content-length: {}\r\n\r\n{BASKET}", length - 1),
        format!("content-length: {length}\r\n\r\n"),
        format!("{chunked}xyz\r\n{BASKET}\r\n0\r\n\r\n"),
        format!("{chunked}-1\r\n{BASKET}\r\n0\r\n\r\n"),
        format!("{chunked}ffffffffffffffffff\r\n{BASKET}\r\n0\r\n\r\n"),
        format!("{chunked}{:x}\r\n{BASKET}\r\n0\r\n\r\n", length - 1),
        format!("{chunked}{:x}\r\n{BASKET}\r\n0\r\n\r\n", length + 1),
        format!("{chunked}{length:x}\r\n{BASKET}\r\n"),
        format!("{chunked}{length:x}\r\n{BASKET}"),
        format!("{chunked}0\r\n\r\n"),
    ] {
        let answer = exchange(&server, format!("{HEAD}{body}")).await;
        assert_problem(&answer, "400", "malformed-body");
    }
}

#[tokio::test]
async fn a_whole_body_is_accepted_in_any_framing() {
    let server = server().await;
    let length = BASKET.len();
    for body in [
        format!("content-length: 0{length}\r\n\r\n{BASKET}"),
        format!("content-length: {length}\r\ncontent-length: {length}\r\n\r\n{BASKET}"),
        format!(
            "transfer-encoding: Chunked\r\n\r\n{length:X};a=\"b\"\r\n{BASKET}\r\n0\r\nx: a\r\n\r\n"
        ),
        format!(
            "transfer-encoding: chunked\r\n\r\n1\r\n{{\r\n{:x}\r\n{}\r\n000\r\n\r\n",
            length - 1,
            &BASKET[1..]
        ),
    ] {
        let answer = exchange(&server, format!("{HEAD}{body}")).await;
        let (head, content) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{body:?}: {answer}");
        let content: serde_json::Value = serde_json::from_str(content).unwrap();
        assert_eq!(content, json!({"name": "Ada", "quantities": []}));
    }
}

/// A gateway that reads `content-length` sees another end of the request (RFC 9112, 6.1).
#[tokio::test]
async fn after_a_chunked_body_with_a_length_the_connection_is_closed() {
    let server = server().await;
    let head = HEAD.replace("connection: close\r\n", "");
    let (length, chunked) = ("content-length: 4\r\n", "transfer-encoding: chunked\r\n");
    let body = format!("{:x}\r\n{BASKET}\r\n0\r\n\r\n", BASKET.len());
    for framing in [format!("{length}{chunked}"), format!("{chunked}{length}")] {
        let mut client = server.send(&format!("{head}{framing}\r\n{body}")).await;
        let answer = rest(&mut client).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{framing:?}: {answer}");
    }
}

/// RFC 9112, 6.1.
#[tokio::test]
async fn an_unknown_transfer_coding_is_not_implemented() {
    let server = server().await;
    for coding in
        ["gzip, chunked", "chunked, chunked", "gzip\r\ntransfer-encoding: chunked", "x,chunked"]
    {
        let length = BASKET.len();
        let body = format!("{length:x}\r\n{BASKET}\r\n0\r\n\r\n");
        let request = format!("{HEAD}transfer-encoding: {coding}\r\n\r\n{body}");
        let answer = exchange(&server, request).await;
        assert!(answer.starts_with("HTTP/1.1 501 Not Implemented\r\n"), "{coding}: {answer}");
        assert!(answer.contains("content-type: application/problem+json\r\n"), "{answer}");
        assert!(answer.contains(r#""type":"about:blank""#), "{answer}");
    }
}

#[tokio::test]
async fn a_client_that_waits_for_100_continue_gets_it_before_its_body_is_read() {
    let server = server().await;
    let head = format!("{HEAD}expect: 100-continue\r\ncontent-length: {}\r\n\r\n", BASKET.len());
    let text = head.replace("application/json", "text/plain");
    for (head, status) in [(&head, "200 OK"), (&text, "415 Unsupported Media Type")] {
        let mut client = server.send(head).await;
        answer(&mut client, "HTTP/1.1 100 Continue\r\n\r\n").await;
        client.write_all(BASKET.as_bytes()).await.unwrap();
        let answer = rest(&mut client).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{answer}");
    }
    // These are refused without the body.
    let mut client = server.send(&head.replace("/baskets", "/nowhere")).await;
    assert_problem(&rest(&mut client).await, "404", "not-found");
    let large = format!("{HEAD}expect: 100-continue\r\ncontent-length: 65537\r\n\r\n");
    let mut client = server.send(&large).await;
    assert_problem(&rest(&mut client).await, "413", "body-too-large");
}

#[tokio::test]
async fn the_answer_to_a_head_request_has_no_body_also_for_an_error() {
    let server = server().await;
    for (path, status) in [("/numbers/7", 200), ("/numbers/x", 400), ("/nowhere", 404)] {
        let request = format!("HEAD {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
        let answer = exchange(&server, request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_body_that_no_route_reads_is_not_taken_for_the_next_request() {
    let server = server().await;
    let next = "GET /numbers/8 HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
    for first in ["GET /numbers/7", "POST /nowhere", "DELETE /baskets"] {
        let inner = "GET /panic HTTP/1.1\r\nhost: test\r\n\r\n";
        let length = inner.len();
        let head = format!("{first} HTTP/1.1\r\nhost: test\r\ncontent-length: {length}\r\n\r\n");
        let answers = exchange(&server, format!("{head}{inner}{next}")).await;
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 2, "{first}: {answers}");
        assert!(answers.ends_with("\r\n\r\n8"), "{first}: {answers}");
    }
}
