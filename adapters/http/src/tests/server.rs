use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use runtime::StartError;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::{bind, serve};

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn an_address_that_is_taken_is_told_with_the_variable_that_names_it() {
    let first = bind("127.0.0.1:0".parse().unwrap(), "HTTP_ADDR").await.unwrap();
    assert_ne!(first.addr().port(), 0);
    let error = bind(first.addr(), "HTTP_ADDR").await.unwrap_err();
    assert!(matches!(error, StartError::AddressTaken { addr, .. } if addr == first.addr()));
    assert!(error.to_string().contains("HTTP_ADDR"), "{error}");
}

#[tokio::test]
async fn an_address_of_another_host_cannot_be_listened_on() {
    let error = bind("192.0.2.1:80".parse().unwrap(), "HTTP_ADDR").await.unwrap_err();
    assert!(matches!(error, StartError::Address { .. }), "{error}");
}

#[tokio::test]
async fn a_server_told_to_stop_answers_the_requests_it_has_and_takes_no_more() {
    let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (arrived.clone(), go_on.clone());
    let slow = move || async move {
        tell.notify_one();
        wait.notified().await;
        "done"
    };
    let router = Router::new().route("/slow", get(slow));
    let listener = bind("127.0.0.1:0".parse().unwrap(), "HTTP_ADDR").await.unwrap();
    let addr = listener.addr();
    let shutdown = CancellationToken::new();
    let server = tokio::spawn(serve(listener, router, shutdown.clone()));

    let mut client = TcpStream::connect(addr).await.unwrap();
    client.write_all(b"GET /slow HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
    timeout(PATIENCE, arrived.notified()).await.unwrap();
    shutdown.cancel();
    let refused = async { while TcpStream::connect(addr).await.is_ok() {} };
    timeout(PATIENCE, refused).await.unwrap();
    assert!(!server.is_finished());
    go_on.notify_one();

    let mut answer = String::new();
    timeout(PATIENCE, client.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("done"), "{answer}");
    timeout(PATIENCE, server).await.unwrap().unwrap().unwrap();
}
