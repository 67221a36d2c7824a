//! Idle connections and unfinished requests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use runtime::StartError;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use runtime::config::MAX_CONNECTIONS;

use super::program;
use crate::{bind, serve};

/// Longer than any timeout of the server. Most tests use a paused clock.
const TIMEOUT: Duration = Duration::from_mins(5);

/// A server that runs until it is dropped.
pub(super) struct Server {
    addr: SocketAddr,
    /// Notified when the handler of `/slow` has begun.
    arrived: Arc<Notify>,
    /// Ends the handler of `/slow`.
    go_on: Arc<Notify>,
    ended: JoinHandle<Result<(), StartError>>,
    stop: DropGuard,
}

impl Server {
    async fn start() -> Self {
        Self::with_at_most(MAX_CONNECTIONS).await
    }

    async fn with_at_most(connections: u32) -> Self {
        let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (tell, wait) = (arrived.clone(), go_on.clone());
        let slow = move || async move {
            tell.notify_one();
            wait.notified().await;
            "done"
        };
        let router = Router::new()
            .route("/", get(|| async { "here" }))
            .route("/slow", get(slow))
            .route("/echo", post(|body: String| async { body }));
        Self { arrived, go_on, ..Self::of(router, connections).await }
    }

    pub(super) async fn of(router: Router, connections: u32) -> Self {
        let (arrived, go_on) = (Arc::default(), Arc::default());
        let listener = bind("127.0.0.1:0".parse().unwrap(), "HTTP_ADDR").await.unwrap();
        let listener = listener.max_connections(connections);
        let addr = listener.addr();
        let stop = CancellationToken::new();
        let ended = tokio::spawn(serve(listener, router, stop.clone()));
        Self { addr, arrived, go_on, ended, stop: stop.drop_guard() }
    }

    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addr).await.unwrap()
    }

    pub(super) async fn send(&self, text: &str) -> TcpStream {
        let mut client = self.connect().await;
        client.write_all(text.as_bytes()).await.unwrap();
        client
    }
}

const REQUEST: &str = "GET / HTTP/1.1\r\nhost: test\r\n\r\n";

/// Reads until the server closes the connection.
pub(super) async fn rest(client: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // The connection may also be reset if the server has not read everything.
    let _ =
        timeout(TIMEOUT, client.read_to_end(&mut answer)).await.expect("the connection stays open");
    String::from_utf8(answer).unwrap()
}

/// Reads one answer with this body.
pub(super) async fn answer(client: &mut TcpStream, body: &str) -> String {
    let mut answer = String::new();
    while !answer.ends_with(body) {
        let mut part = [0; 1024];
        let read = timeout(TIMEOUT, client.read(&mut part)).await.expect("no answer").unwrap();
        assert_ne!(read, 0, "closed after {answer:?}");
        answer.push_str(&String::from_utf8_lossy(&part[..read]));
    }
    answer
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_closed_if_the_head_is_not_complete_within_10_s() {
    let server = Server::start().await;
    for part in ["", "GET / HTTP/1.1\r\nhost: test\r\nx-more: "] {
        let begin = Instant::now();
        let mut client = server.send(part).await;
        assert_eq!(rest(&mut client).await, "", "{part:?}");
        let took = begin.elapsed();
        assert!((Duration::from_secs(10)..Duration::from_secs(12)).contains(&took), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_arrives_slowly_gets_no_more_time() {
    let server = Server::start().await;
    let (mut read, mut write) = server.send("GET / HTTP/1.1\r\n").await.into_split();
    let trickle = async {
        while write.write_all(b"x-more: a\r\n").await.is_ok() {
            sleep(Duration::from_secs(1)).await;
        }
    };
    let begin = Instant::now();
    let mut nothing = Vec::new();
    tokio::select! {
        _ = read.read_to_end(&mut nothing) => {}
        () = trickle => {}
        () = sleep(TIMEOUT) => panic!("the connection stays open"),
    }
    assert!(begin.elapsed() < Duration::from_secs(13), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_closed_if_the_second_head_is_not_complete() {
    let server = Server::start().await;
    let mut client = server.send(REQUEST).await;
    answer(&mut client, "here").await;
    sleep(Duration::from_secs(30)).await;
    client.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let begin = Instant::now();
    assert_eq!(rest(&mut client).await, "");
    assert!(begin.elapsed() < Duration::from_secs(12), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_after_more_than_a_minute() {
    let server = Server::start().await;
    let mut client = server.send(REQUEST).await;
    answer(&mut client, "here").await;
    // Longer than the idle timeout of gateways.
    sleep(Duration::from_secs(61)).await;
    client.write_all(REQUEST.as_bytes()).await.unwrap();
    answer(&mut client, "here").await;
    let begin = Instant::now();
    assert_eq!(rest(&mut client).await, "");
    assert!(begin.elapsed() > Duration::from_secs(70), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_head_may_have_about_32_kib() {
    let server = Server::start().await;
    let head =
        |size: usize| format!("GET / HTTP/1.1\r\nhost: test\r\nx-more: {}", "a".repeat(size));
    let mut client = server.send(&format!("{}\r\nconnection: close\r\n\r\n", head(30_000))).await;
    assert!(rest(&mut client).await.starts_with("HTTP/1.1 200 OK"));
    // It is refused before it is complete.
    let mut client = server.send(&head(33_000)).await;
    let text = rest(&mut client).await;
    assert!(text.starts_with("HTTP/1.1 431 "), "{text}");
}

/// Checks that this text is one whole answer with a problem of this type.
#[track_caller]
pub(super) fn assert_problem(text: &str, status: &str, kind: &str) {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text:?}"));
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
    assert!(head.contains("\r\ncontent-type: application/problem+json\r\n"), "{head}");
    assert!(head.contains(&format!("\r\ncontent-length: {}\r\n", body.len())), "{head}");
    assert!(head.contains("connection: close"), "{head}");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["type"], format!("/problems/{kind}"));
    assert_eq!(body["status"].to_string(), status);
}

#[tokio::test]
async fn a_head_that_cannot_be_read_is_answered_with_a_problem() {
    let server = Server::start().await;
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(101));
    let large = format!("GET / HTTP/1.1\r\na: {}", "b".repeat(40_000));
    let long_uri = format!("GET /?{}", "b".repeat(40_000));
    for (request, status, kind) in [
        ("nonsense\r\n\r\n", "400", "malformed-head"),
        ("GET / HTTP/9.9\r\n\r\n", "400", "malformed-head"),
        ("GET / HTTP/1.1\r\nno colon\r\n\r\n", "400", "malformed-head"),
        ("GET http:// HTTP/1.1\r\n\r\n", "400", "malformed-head"),
        ("POST /echo HTTP/1.1\r\ncontent-length: x\r\n\r\n", "400", "malformed-head"),
        (&many, "431", "head-too-large"),
        (&large, "431", "head-too-large"),
        (&long_uri, "414", "uri-too-long"),
    ] {
        let mut client = server.send(request).await;
        assert_problem(&rest(&mut client).await, status, kind);
        // Also as a later request of a connection.
        let mut client = server.send(REQUEST).await;
        answer(&mut client, "here").await;
        client.write_all(request.as_bytes()).await.unwrap();
        assert_problem(&rest(&mut client).await, status, kind);
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_body_is_answered_with_a_problem_and_the_connection_is_closed() {
    let server = Server::of(program(Vec::new()), MAX_CONNECTIONS).await;
    let head = "POST /baskets HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\n";
    let mut client = server.send(&format!("{head}content-length: 30\r\n\r\n{{\"name\":")).await;
    assert_problem(&rest(&mut client).await, "408", "body-timeout");
}

/// Opens connections with unfinished requests. The server may close some of them.
async fn unfinished(server: &Server, count: usize) -> Vec<TcpStream> {
    let mut clients = Vec::new();
    for _ in 0..count {
        clients.push(server.send("POST /echo HTTP/1.1\r\nhost: test\r\n").await);
    }
    clients
}

#[tokio::test]
async fn above_the_limit_the_oldest_unfinished_requests_are_closed_for_other_clients() {
    let server = Server::with_at_most(4).await;
    let mut idle = server.send(REQUEST).await;
    answer(&mut idle, "here").await;
    let mut clients = unfinished(&server, 20).await;
    // A new connection and an older idle one both work.
    let mut client = server.send(REQUEST).await;
    answer(&mut client, "here").await;
    idle.write_all(REQUEST.as_bytes()).await.unwrap();
    answer(&mut idle, "here").await;
    for client in &mut clients[..18] {
        assert_eq!(rest(client).await, "");
    }
    for client in &mut clients[18..] {
        client.write_all(b"content-length: 4\r\n\r\nhere").await.unwrap();
        answer(client, "here").await;
    }
}

#[tokio::test]
async fn above_the_limit_requests_without_their_body_are_closed_too() {
    let server = Server::with_at_most(4).await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        let head = "POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 9\r\n\r\n";
        clients.push(server.send(head).await);
    }
    let mut client = server.send(REQUEST).await;
    answer(&mut client, "here").await;
}

#[tokio::test]
async fn above_the_limit_the_longest_idle_connection_is_closed() {
    let server = Server::with_at_most(3).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = server.send(REQUEST).await;
        answer(&mut client, "here").await;
        clients.push(client);
    }
    clients[0].write_all(REQUEST.as_bytes()).await.unwrap();
    answer(&mut clients[0], "here").await;
    let mut client = server.send(REQUEST).await;
    answer(&mut client, "here").await;
    assert_eq!(rest(&mut clients[1]).await, "");
    for kept in [0, 2] {
        clients[kept].write_all(REQUEST.as_bytes()).await.unwrap();
        answer(&mut clients[kept], "here").await;
    }
}

#[tokio::test]
async fn a_connection_that_waits_for_its_answer_is_not_closed_for_another() {
    let server = Server::with_at_most(1).await;
    let mut client = server.send("GET /slow HTTP/1.1\r\nhost: test\r\n\r\n").await;
    timeout(TIMEOUT, server.arrived.notified()).await.unwrap();
    let mut refused = server.send(REQUEST).await;
    assert_eq!(rest(&mut refused).await, "");
    server.go_on.notify_one();
    answer(&mut client, "done").await;
}

#[tokio::test(start_paused = true)]
async fn unfinished_requests_do_not_delay_the_shutdown() {
    let server = Server::start().await;
    let mut clients = unfinished(&server, 3).await;
    let mut client = server.send(REQUEST).await;
    answer(&mut client, "here").await;
    drop(server.stop);
    let begin = Instant::now();
    timeout(TIMEOUT, server.ended).await.unwrap().unwrap().unwrap();
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
    assert_eq!(rest(&mut clients[0]).await, "");
}
