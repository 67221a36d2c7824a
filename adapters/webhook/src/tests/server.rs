//! Servers on this host.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// What a server does after its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Then {
    /// It waits for the next request on the connection.
    Serve,
    /// It closes the connection.
    Close,
    /// It sends nothing and keeps the connection open.
    Hold,
    /// It sends this again and again, until the client closes the connection.
    Repeat(&'static [u8]),
}

/// A server that gives the same answer to each request and remembers what happened.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Seen {
    clients: Vec<SocketAddr>,
    closed: usize,
    requests: Vec<String>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// A server on this host that answers with these bytes.
    pub(crate) async fn answering(answer: impl Into<Vec<u8>>, then: Then) -> Self {
        Self::on("127.0.0.1:0", answer, then).await
    }

    pub(crate) async fn on(address: &str, answer: impl Into<Vec<u8>>, then: Then) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        Self::start(listener, answer, then, async |stream| Some(stream))
    }

    /// A server that prepares each connection with `handshake`.
    pub(crate) fn start<S, F>(
        listener: TcpListener,
        answer: impl Into<Vec<u8>>,
        then: Then,
        handshake: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        F: Future<Output = Option<S>> + Send + 'static,
    {
        let address = listener.local_addr().unwrap();
        let (seen, answer) = (Arc::new(Mutex::new(Seen::default())), answer.into());
        let task = tokio::spawn({
            let seen = Arc::clone(&seen);
            async move {
                loop {
                    let (stream, client) = listener.accept().await.unwrap();
                    seen.lock().unwrap().clients.push(client);
                    let (ready, seen) = (handshake(stream), Arc::clone(&seen));
                    let answer = answer.clone();
                    tokio::spawn(async move {
                        if let Some(stream) = ready.await {
                            serve(stream, &answer, then, &seen).await;
                        }
                        seen.lock().unwrap().closed += 1;
                    });
                }
            }
        });
        Self { address, seen, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/orders", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().requests.clone()
    }

    /// How many connections were made before this call. Connections are accepted in sequence, so that
    /// one that is made now comes after them.
    pub(crate) async fn connections(&self) -> usize {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip([127, 0, 0, 1].into());
        }
        let last = TcpStream::connect(address).await.unwrap();
        let port = last.local_addr().unwrap().port();
        let position = |seen: &Seen| seen.clients.iter().position(|client| client.port() == port);
        self.until(|seen| position(seen).is_some()).await;
        position(&self.seen.lock().unwrap()).unwrap()
    }

    /// Waits until the server has seen the end of a connection.
    pub(crate) async fn connection_ends(&self) {
        self.until(|seen| seen.closed > 0).await;
    }

    async fn until(&self, is_true: impl Fn(&Seen) -> bool) {
        let condition = async {
            while !is_true(&self.seen.lock().unwrap()) {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_mins(1), condition).await.expect("within a minute");
    }
}

async fn serve<S>(mut stream: S, answer: &[u8], then: Then, seen: &Mutex<Seen>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(request) = request(&mut stream).await {
        seen.lock().unwrap().requests.push(request);
        if stream.write_all(answer).await.is_err() {
            return;
        }
        match then {
            Then::Serve => {}
            Then::Close => return drop(stream.shutdown().await),
            Then::Hold => return drop(stream.read(&mut [0]).await),
            Then::Repeat(bytes) => while stream.write_all(bytes).await.is_ok() {},
        }
    }
}

/// The next request, head and body. `None` if the client has closed the connection.
async fn request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text.into_owned());
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
