use std::cmp::Reverse;
use std::collections::HashMap;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use metrics::{counter, gauge};
use tokio::net::TcpStream;
use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::head;
use super::progress::{Phase, Progress, RequestBody, Watched};
use crate::limit_log::LimitLog;

/// Maximum size of the head of a request in bytes. A larger one is answered with 431.
const HEAD_LIMIT: usize = 32 * 1024;

/// Time for a client to send a complete head.
pub(super) const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Time that an idle connection stays open: it waits for the next request, or its client does not
/// read the answer. Longer than the idle timeout of gateways, which is at most a minute: if the
/// server closed first, a request on its way would be lost.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);

/// The open connections of a server, at most `limit`.
#[derive(Debug)]
pub(super) struct Connections {
    tasks: JoinSet<()>,
    open: HashMap<Id, Connection>,
    limit: usize,
    limit_log: LimitLog,
}

#[derive(Debug)]
struct Connection {
    progress: Progress,
    task: AbortHandle,
}

impl Connections {
    pub(super) fn new(limit: usize) -> Self {
        let limit_log = LimitLog::new(
            "connections",
            "above HTTP_MAX_CONNECTIONS, the server closes the connections with the oldest \
             unfinished requests, then those that are idle for the longest time",
        );
        Self { tasks: JoinSet::new(), open: HashMap::new(), limit, limit_log }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Number of requests without an answer.
    pub(super) fn unanswered(&self) -> usize {
        let phases = self.open.values().map(|connection| connection.progress.get().0);
        phases.filter(|phase| matches!(phase, Phase::Body | Phase::Answer)).count()
    }

    /// Serves a new connection. If there are too many, it closes another one first, see
    /// [`Self::make_room`]. If no other can be closed, it closes the new one.
    pub(super) fn add(&mut self, stream: TcpStream, router: &Router, shutdown: &CancellationToken) {
        if self.open.len() >= self.limit {
            self.limit_log.reached();
            if !self.make_room() {
                counter!("http_connections_closed_total", "reason" => "limit").increment(1);
                return;
            }
        }
        // Answers are written in one piece, so Nagle's algorithm would only delay them.
        let _ = stream.set_nodelay(true);
        let progress = Progress::new();
        let serve = serve(stream, router.clone(), progress.clone(), shutdown.clone());
        let task = self.tasks.spawn(serve);
        self.open.insert(task.id(), Connection { progress, task });
        gauge!("http_connections").increment(1);
    }

    /// Closes the connection whose request is unfinished for the longest time. If there is none,
    /// closes the one that is idle for the longest time. Connections that wait for an answer are
    /// not closed. Returns whether a connection was closed.
    ///
    /// An attacker with unfinished requests must therefore open connections faster than a client
    /// sends a request.
    pub(super) fn make_room(&mut self) -> bool {
        let candidates = self.open.iter().filter_map(|(id, connection)| {
            let (phase, since) = connection.progress.get();
            let unfinished = match phase {
                Phase::Head | Phase::Body => true,
                Phase::Idle => false,
                Phase::Answer => return None,
            };
            Some((Reverse(unfinished), since, *id))
        });
        let Some((_, _, id)) = candidates.min() else { return false };
        self.close(id, "limit");
        true
    }

    /// Closes connections that take too long to send a head, or are idle for too long.
    pub(super) fn close_overdue(&mut self, head_timeout: Duration) {
        let now = Instant::now();
        let overdue = |connection: &Connection| {
            let (phase, since) = connection.progress.get();
            let (limit, reason) = match phase {
                Phase::Head => (head_timeout, "head_timeout"),
                Phase::Idle => (IDLE_TIMEOUT, "idle_timeout"),
                // The router has a timeout for these.
                Phase::Body | Phase::Answer => return None,
            };
            (now.duration_since(since) >= limit).then_some(reason)
        };
        let overdue: Vec<_> =
            self.open.iter().filter_map(|(id, open)| Some((*id, overdue(open)?))).collect();
        for (id, reason) in overdue {
            self.close(id, reason);
        }
        if self.open.len() < self.limit {
            self.limit_log.not_reached();
        }
    }

    fn close(&mut self, id: Id, reason: &'static str) {
        if let Some(connection) = self.open.remove(&id) {
            connection.task.abort();
            gauge!("http_connections").decrement(1);
            counter!("http_connections_closed_total", "reason" => reason).increment(1);
        }
    }

    /// Waits until a connection has ended. Waits forever if there is none. Cancel safe.
    pub(super) async fn ended(&mut self) {
        let id = match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => error.id(),
            None => return std::future::pending().await,
        };
        if self.open.remove(&id).is_some() {
            gauge!("http_connections").decrement(1);
        }
    }
}

/// Answers the requests of a connection until the client closes it. After `shutdown`, answers the
/// open request and closes the connection.
async fn serve(stream: TcpStream, router: Router, progress: Progress, shutdown: CancellationToken) {
    let io = TokioIo::new(Watched::new(stream, progress.clone()));
    let service = service_fn(move |request: Request<Incoming>| {
        let (router, progress) = (router.clone(), progress.clone());
        async move {
            let body = |body| Body::new(RequestBody::new(body, progress.clone()));
            let refused = head::refused(&request);
            let request = request.map(body);
            let answer = match refused {
                Some(answer) => Ok(answer),
                None => router.oneshot(request).await,
            };
            progress.enter(Phase::Idle);
            answer
        }
    });
    // hyper's own timeout for heads starts at the end of the previous request.
    let mut http = http1::Builder::new();
    http.header_read_timeout(None).max_buf_size(HEAD_LIMIT);
    let mut connection = pin!(http.serve_connection(io, service));
    // Errors of the connection are ignored: it is closed, which the client notices.
    tokio::select! {
        _ = &mut connection => return,
        () = shutdown.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
