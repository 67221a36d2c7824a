//! What a server does about connections that ask for nothing, or never finish asking.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use runtime::StartError;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use runtime::config::MAX_CONNECTIONS;

use crate::{bind, serve};

/// In the time of the test's clock, which is paused: longer than a server waits for anything.
const PATIENCE: Duration = Duration::from_mins(5);

/// A server that runs until it is dropped.
struct Server {
    addr: SocketAddr,
    /// A handler of `/slow` has begun.
    arrived: Arc<Notify>,
    /// Lets the handler of `/slow` end.
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
        let listener = bind("127.0.0.1:0".parse().unwrap(), "HTTP_ADDR").await.unwrap();
        let listener = listener.max_connections(connections);
        let addr = listener.addr();
        let stop = CancellationToken::new();
        let ended = tokio::spawn(serve(listener, router, stop.clone()));
        Self { addr, arrived, go_on, ended, stop: stop.drop_guard() }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addr).await.unwrap()
    }

    async fn send(&self, text: &str) -> TcpStream {
        let mut client = self.connect().await;
        client.write_all(text.as_bytes()).await.unwrap();
        client
    }
}

const ASK: &str = "GET / HTTP/1.1\r\nhost: test\r\n\r\n";

/// Everything until the server closes the connection.
async fn rest(client: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A connection may also be reset: the server has not read all that was sent.
    let _ = timeout(PATIENCE, client.read_to_end(&mut answer)).await.expect("it is kept for ever");
    String::from_utf8(answer).unwrap()
}

/// One answer, of which the body is known.
async fn answer(client: &mut TcpStream, body: &str) -> String {
    let mut answer = String::new();
    while !answer.ends_with(body) {
        let mut part = [0; 1024];
        let read = timeout(PATIENCE, client.read(&mut part)).await.expect("no answer").unwrap();
        assert_ne!(read, 0, "closed after {answer:?}");
        answer.push_str(&String::from_utf8_lossy(&part[..read]));
    }
    answer
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_not_finished_within_10_s_is_given_up() {
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
async fn a_head_that_trickles_in_gets_no_more_time_than_others() {
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
        () = sleep(PATIENCE) => panic!("it is kept for ever"),
    }
    assert!(begin.elapsed() < Duration::from_secs(13), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_second_request_that_is_not_finished_is_given_up_as_well() {
    let server = Server::start().await;
    let mut client = server.send(ASK).await;
    answer(&mut client, "here").await;
    sleep(Duration::from_secs(30)).await;
    client.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let begin = Instant::now();
    assert_eq!(rest(&mut client).await, "");
    assert!(begin.elapsed() < Duration::from_secs(12), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_kept_for_the_next_request_but_not_for_ever() {
    let server = Server::start().await;
    let mut client = server.send(ASK).await;
    answer(&mut client, "here").await;
    // Longer than gateways keep theirs, so that it is they who close first.
    sleep(Duration::from_secs(61)).await;
    client.write_all(ASK.as_bytes()).await.unwrap();
    answer(&mut client, "here").await;
    let begin = Instant::now();
    assert_eq!(rest(&mut client).await, "");
    assert!(begin.elapsed() > Duration::from_secs(70), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_head_may_have_32_kib_and_not_much_more() {
    let server = Server::start().await;
    let head =
        |size: usize| format!("GET / HTTP/1.1\r\nhost: test\r\nx-more: {}", "a".repeat(size));
    let mut client = server.send(&format!("{}\r\nconnection: close\r\n\r\n", head(30_000))).await;
    assert!(rest(&mut client).await.starts_with("HTTP/1.1 200 OK"));
    // It is refused before it is finished.
    let mut client = server.send(&head(33_000)).await;
    let told = rest(&mut client).await;
    assert!(told.starts_with("HTTP/1.1 431 "), "{told}");
}

/// As an attacker has them; the server may have closed some of them.
async fn unfinished(server: &Server, count: usize) -> Vec<TcpStream> {
    let mut clients = Vec::new();
    for _ in 0..count {
        clients.push(server.send("POST /echo HTTP/1.1\r\nhost: test\r\n").await);
    }
    clients
}

#[tokio::test]
async fn unfinished_requests_beyond_the_limit_keep_nobody_out_and_the_oldest_are_closed() {
    let server = Server::with_at_most(4).await;
    let mut faithful = server.send(ASK).await;
    answer(&mut faithful, "here").await;
    let mut clients = unfinished(&server, 20).await;
    // A new connection, and one that was there before them and is idle.
    let mut client = server.send(ASK).await;
    answer(&mut client, "here").await;
    faithful.write_all(ASK.as_bytes()).await.unwrap();
    answer(&mut faithful, "here").await;
    for client in &mut clients[..18] {
        assert_eq!(rest(client).await, "");
    }
    for client in &mut clients[18..] {
        client.write_all(b"content-length: 4\r\n\r\nhere").await.unwrap();
        answer(client, "here").await;
    }
}

#[tokio::test]
async fn bodies_that_do_not_come_keep_nobody_out_either() {
    let server = Server::with_at_most(4).await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        let head = "POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 9\r\n\r\n";
        clients.push(server.send(head).await);
    }
    let mut client = server.send(ASK).await;
    answer(&mut client, "here").await;
}

#[tokio::test]
async fn with_too_many_connections_the_one_that_is_idle_longest_is_closed() {
    let server = Server::with_at_most(3).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = server.send(ASK).await;
        answer(&mut client, "here").await;
        clients.push(client);
    }
    clients[0].write_all(ASK.as_bytes()).await.unwrap();
    answer(&mut clients[0], "here").await;
    let mut client = server.send(ASK).await;
    answer(&mut client, "here").await;
    assert_eq!(rest(&mut clients[1]).await, "");
    for kept in [0, 2] {
        clients[kept].write_all(ASK.as_bytes()).await.unwrap();
        answer(&mut clients[kept], "here").await;
    }
}

#[tokio::test]
async fn a_request_that_is_being_answered_is_never_given_up_for_another() {
    let server = Server::with_at_most(1).await;
    let mut client = server.send("GET /slow HTTP/1.1\r\nhost: test\r\n\r\n").await;
    timeout(PATIENCE, server.arrived.notified()).await.unwrap();
    let mut refused = server.send(ASK).await;
    assert_eq!(rest(&mut refused).await, "");
    server.go_on.notify_one();
    answer(&mut client, "done").await;
}

#[tokio::test(start_paused = true)]
async fn unfinished_requests_do_not_hold_up_the_end_of_a_server() {
    let server = Server::start().await;
    let mut clients = unfinished(&server, 3).await;
    let mut client = server.send(ASK).await;
    answer(&mut client, "here").await;
    drop(server.stop);
    let begin = Instant::now();
    timeout(PATIENCE, server.ended).await.unwrap().unwrap().unwrap();
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
    assert_eq!(rest(&mut clients[0]).await, "");
}
