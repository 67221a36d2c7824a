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

use super::progress::{Phase, Progress, RequestBody, Watched};
use crate::surge::Surge;

/// The most bytes a request's head may have; more is answered with 431.
const HEAD_LIMIT: usize = 32 * 1024;

/// How long a client may take to send a whole head.
pub(super) const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection is kept for the next request, or for a client that fetches nothing of its
/// answer. Gateways keep theirs for a minute at most: whoever closes first must not be the server,
/// or a request that is on its way is lost.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);

/// The connections of a server. There are never more than `limit`.
#[derive(Debug)]
pub(super) struct Connections {
    tasks: JoinSet<()>,
    open: HashMap<Id, Connection>,
    limit: usize,
    full: Surge,
}

#[derive(Debug)]
struct Connection {
    progress: Progress,
    task: AbortHandle,
}

impl Connections {
    pub(super) fn new(limit: usize) -> Self {
        let full = Surge::of(
            "connections",
            "of those over HTTP_MAX_CONNECTIONS, the ones that wait longest for the rest of a \
             request or for the next one are closed",
        );
        Self { tasks: JoinSet::new(), open: HashMap::new(), limit, full }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// How many wait for an answer.
    pub(super) fn unanswered(&self) -> usize {
        let phases = self.open.values().map(|connection| connection.progress.get().0);
        phases.filter(|phase| matches!(phase, Phase::Body | Phase::Answer)).count()
    }

    /// Serves a new connection. If there are too many, another one is closed for it, see
    /// [`Self::make_room`]. If none can be, the new one is.
    pub(super) fn add(&mut self, stream: TcpStream, router: &Router, shutdown: &CancellationToken) {
        if self.open.len() >= self.limit {
            self.full.begins();
            if !self.make_room() {
                counter!("http_connections_closed_total", "reason" => "limit").increment(1);
                return;
            }
        }
        // An answer is written at once; there is nothing to wait for.
        let _ = stream.set_nodelay(true);
        let progress = Progress::new();
        let serve = serve(stream, router.clone(), progress.clone(), shutdown.clone());
        let task = self.tasks.spawn(serve);
        self.open.insert(task.id(), Connection { progress, task });
        gauge!("http_connections").increment(1);
    }

    /// Closes the connection that has kept the server waiting longest for the rest of a request, or
    /// else for the next one. No other is closed: the server owes it an answer.
    ///
    /// Whoever wants to keep others out with unfinished requests must thus be faster than each of
    /// them sends one.
    pub(super) fn make_room(&mut self) -> bool {
        let dispensable = self.open.iter().filter_map(|(id, connection)| {
            let (phase, since) = connection.progress.get();
            let unfinished = match phase {
                Phase::Head | Phase::Body => true,
                Phase::Idle => false,
                Phase::Answer => return None,
            };
            Some((Reverse(unfinished), since, *id))
        });
        let Some((_, _, id)) = dispensable.min() else { return false };
        self.close(id, "limit");
        true
    }

    /// Closes those that take too long to send a head, and those that were idle for too long.
    pub(super) fn close_overdue(&mut self, head_timeout: Duration) {
        let now = Instant::now();
        let overdue = |connection: &Connection| {
            let (phase, since) = connection.progress.get();
            let (limit, reason) = match phase {
                Phase::Head => (head_timeout, "head_timeout"),
                Phase::Idle => (IDLE_TIMEOUT, "idle_timeout"),
                // The router limits how long a request takes.
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
            self.full.ends();
        }
    }

    fn close(&mut self, id: Id, reason: &'static str) {
        if let Some(connection) = self.open.remove(&id) {
            connection.task.abort();
            gauge!("http_connections").decrement(1);
            counter!("http_connections_closed_total", "reason" => reason).increment(1);
        }
    }

    /// Waits until a connection has ended. With none, it waits for good. Cancel safe.
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

/// Answers the requests of one connection until its client closes it. After `shutdown`, it answers
/// the one it has and closes it.
async fn serve(stream: TcpStream, router: Router, progress: Progress, shutdown: CancellationToken) {
    let io = TokioIo::new(Watched::new(stream, progress.clone()));
    let service = service_fn(move |request: Request<Incoming>| {
        let (router, progress) = (router.clone(), progress.clone());
        async move {
            let body = |body| Body::new(RequestBody::new(body, progress.clone()));
            let answer = router.oneshot(request.map(body)).await;
            progress.enter(Phase::Idle);
            answer
        }
    });
    // hyper has a time limit for heads too, but it counts from the end of the request before.
    let mut http = http1::Builder::new();
    http.header_read_timeout(None).max_buf_size(HEAD_LIMIT);
    let mut connection = pin!(http.serve_connection(io, service));
    // What goes wrong with a connection is its client's business.
    tokio::select! {
        _ = &mut connection => return,
        () = shutdown.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
