use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

const ORDER: &str = r#"{"customerName":"Ada Lovelace","items":[{"productId":1,"quantity":2},{"productId":7,"quantity":1}]}"#;

/// Timeout of requests.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A client with one connection, which it reuses.
#[derive(Debug)]
pub(crate) struct Client {
    server: SocketAddr,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    pub(crate) fn new(server: SocketAddr) -> Self {
        Self { server, connection: None }
    }

    /// Places an order. Returns the status, or `None` without an answer.
    pub(crate) async fn place_order(&mut self) -> Option<StatusCode> {
        let mut connection = match self.connection.take() {
            Some(connection) if !connection.is_closed() => connection,
            _ => self.connect().await?,
        };
        let status = timeout(TIMEOUT, place(&mut connection, self.server)).await.ok()?.ok()?;
        self.connection = Some(connection);
        Some(status)
    }

    async fn connect(&self) -> Option<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(self.server).await.ok()?;
        stream.set_nodelay(true).ok()?;
        let (requests, connection) = handshake(TokioIo::new(stream)).await.ok()?;
        // An error of the connection is also an error of the request.
        tokio::spawn(connection);
        Some(requests)
    }
}

async fn place(
    connection: &mut SendRequest<Full<Bytes>>,
    server: SocketAddr,
) -> hyper::Result<StatusCode> {
    let request = Request::post("/api/orders")
        .header(HOST, server.to_string())
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from_static(ORDER.as_bytes())))
        .expect("a valid request");
    connection.ready().await?;
    let answer = connection.send_request(request).await?;
    let status = answer.status();
    answer.into_body().collect().await?;
    Ok(status)
}
