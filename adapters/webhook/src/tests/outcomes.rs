//! What a call of a real server results in.

use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use application::notification::{Answer, SendError, WebhookSender};

use super::fixture::{DEVELOPMENT, PATIENT, SHORT, call, secrets, sender};
use super::server::{Server, Then};
use crate::HttpWebhookSender;
use crate::client::{Limits, Trust};
use crate::resolver::Lookup;

async fn send(server: &Server, limits: Limits) -> Result<Answer, SendError> {
    sender(DEVELOPMENT, limits).send(&call(&server.url())).await
}

/// The outcome of a call whose answer is this, line by line.
async fn outcome(lines: &[&str], then: Then, limits: Limits) -> Result<Answer, SendError> {
    send(&Server::answering(lines.join("\r\n"), then).await, limits).await
}

fn sent(answer: &str) -> Answer {
    Answer(answer.to_owned())
}

fn later(reason: &str, after: Option<u64>) -> Result<Answer, SendError> {
    let after = after.map(Duration::from_secs);
    Err(SendError::Later { reason: reason.to_owned(), after })
}

/// The reason to call again later.
fn reason(outcome: Result<Answer, SendError>) -> String {
    match outcome {
        Err(SendError::Later { reason, after: None }) => reason,
        other => panic!("not later: {other:?}"),
    }
}

#[tokio::test]
async fn the_answer_of_a_server_is_the_outcome() {
    let moved = later("redirects are not followed: HTTP 308", None);
    let gone = Err(SendError::Gone("HTTP 410: bye".to_owned()));
    let table: [(&[&str], _); 11] = [
        (&["204 No Content", "", ""], Ok(sent("HTTP 204"))),
        (&["200 OK", "content-length: 2", "", "ok"], Ok(sent("HTTP 200: ok"))),
        (&["202 Accepted", "retry-after: 9", "content-length: 0", "", ""], Ok(sent("HTTP 202"))),
        (&["410 Gone", "content-length: 3", "", "bye"], gone),
        (&["308 Permanent Redirect", "content-length: 0", "", ""], moved),
        (&["404 Not Found", "content-length: 4", "", "a\nb\u{7}"], later("HTTP 404: a b", None)),
        (&["500 ", "content-length: 0", "", ""], later("HTTP 500", None)),
        (
            &["429 Slow", "Retry-After: 120", "content-length: 0", "", ""],
            later("HTTP 429", Some(120)),
        ),
        (
            &[
                "503 Busy",
                "retry-after: Fri, 27 Nov 2026 12:01:00 GMT",
                "content-length: 0",
                "",
                "",
            ],
            later("HTTP 503", Some(60)),
        ),
        (
            &["503 Busy", "retry-after: 999999", "content-length: 0", "", ""],
            later("HTTP 503", Some(86_400)),
        ),
        (&["503 Busy", "retry-after: soon", "content-length: 0", "", ""], later("HTTP 503", None)),
    ];
    for (lines, expected) in table {
        let status = format!("HTTP/1.1 {}", lines[0]);
        let answer = [&[status.as_str()], &lines[1..]].concat();
        assert_eq!(outcome(&answer, Then::Serve, PATIENT).await, expected, "{lines:?}");
    }
}

#[tokio::test]
async fn a_refused_connection_is_tried_again_later() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{address}/hook?token=hunter2");
    let reason = reason(sender(DEVELOPMENT, PATIENT).send(&call(&url)).await);
    assert!(reason.starts_with("cannot connect: Connection refused"), "{reason}");
    assert!(!reason.contains("hunter2"), "{reason}");
}

#[tokio::test]
async fn a_connection_that_closes_before_the_answer_is_tried_again_later() {
    for answer in ["", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\ncontent-le"] {
        let reason = reason(outcome(&[answer], Then::Close, PATIENT).await);
        assert!(reason.starts_with("the connection failed: "), "{answer:?}: {reason}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_tried_again_later() {
    for answer in ["SSH-2.0-OpenSSH_9.2\r\n\r\n", "220 mail.example ESMTP\r\n", "\0\0\0\0\r\n\r\n"]
    {
        let reason = reason(outcome(&[answer], Then::Close, PATIENT).await);
        assert!(reason.starts_with("the connection failed: "), "{answer:?}: {reason}");
    }
}

#[tokio::test]
async fn the_status_counts_even_if_the_body_breaks_off() {
    let head = ["HTTP/1.1 200 OK", "content-length: 100", "", "part"];
    assert_eq!(outcome(&head, Then::Close, PATIENT).await, Ok(sent("HTTP 200: part")));
    let head = ["HTTP/1.1 500 No", "content-length: 100", "", "part"];
    assert_eq!(outcome(&head, Then::Close, PATIENT).await, later("HTTP 500: part", None));
    let head = ["HTTP/1.1 200 OK", "transfer-encoding: chunked", "", "no chunk"];
    assert_eq!(outcome(&head, Then::Close, PATIENT).await, Ok(sent("HTTP 200")));
}

#[tokio::test]
async fn a_server_without_an_answer_is_left_at_the_time_limit() {
    for answer in ["", "HTTP/1.1 200 OK\r\n"] {
        let expected = later("no answer within the time limit", None);
        assert_eq!(outcome(&[answer], Then::Hold, SHORT).await, expected, "{answer:?}");
    }
}

#[tokio::test]
async fn a_connection_that_takes_too_long_is_given_up() {
    let limits = Limits { connection: SHORT.connection, ..PATIENT };
    let server = Server::answering("", Then::Hold).await;
    let slow_handshake = format!("https://{}/", server.address);
    for url in [slow_handshake.as_str(), "https://slow.example/"] {
        let sender =
            HttpWebhookSender::with(DEVELOPMENT, secrets(), SlowLookup, limits, Trust::System);
        let reason = reason(sender.unwrap().send(&call(url)).await);
        assert_eq!(reason, "no connection within the time limit", "{url}");
    }
    server.connection_ends().await;
}

/// A name service that does not answer.
#[derive(Clone)]
struct SlowLookup;

impl Lookup for SlowLookup {
    async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_slow_body_ends_at_the_time_limit_and_the_status_counts() {
    let limits = Limits { body: Duration::from_millis(300), ..PATIENT };
    let head = ["HTTP/1.1 200 OK", "content-length: 100", "", "part"];
    assert_eq!(outcome(&head, Then::Hold, limits).await, Ok(sent("HTTP 200: part")));
    let head = ["HTTP/1.1 429 Slow", "retry-after: 7", "content-length: 100", "", ""];
    assert_eq!(outcome(&head, Then::Hold, limits).await, later("HTTP 429", Some(7)));
}

#[tokio::test]
async fn an_endless_body_is_read_to_a_kibibyte_and_its_connection_is_closed() {
    let started = Instant::now();
    let head = "HTTP/1.1 200 OK\r\n\r\n";
    let server = Server::answering(head, Then::Repeat(&[b'x'; 8192])).await;
    let expected = format!("HTTP 200: {}", "x".repeat(200));
    assert_eq!(send(&server, PATIENT).await, Ok(sent(&expected)));
    server.connection_ends().await;
    assert!(started.elapsed() < PATIENT.body, "not ended by the time limit");
}

#[tokio::test]
async fn endless_and_huge_headers_are_refused() {
    let started = Instant::now();
    let line: &[u8] =
        b"x: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n";
    let one_line: &[u8] = &[b'x'; 8192];
    for endless in [line, one_line] {
        let server = Server::answering("HTTP/1.1 200 OK\r\n", Then::Repeat(endless)).await;
        let reason = reason(send(&server, PATIENT).await);
        assert!(reason.starts_with("the connection failed: message head is too large"), "{reason}");
        server.connection_ends().await;
    }
    assert!(started.elapsed() < PATIENT.answer, "not ended by the time limit");
}
