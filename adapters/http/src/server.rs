mod connections;
mod head;
mod progress;
mod refused_head;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use runtime::StartError;
use runtime::config::MAX_CONNECTIONS;
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use self::connections::{Connections, HEAD_TIMEOUT};
use super::limit_log::LimitLog;
use super::prometheus::recorder;

/// Time for open requests to finish after shutdown began.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Time for a client to complete the head of a request after shutdown began.
const SHUTDOWN_HEAD_TIMEOUT: Duration = Duration::from_secs(1);

/// Interval at which overdue connections are closed.
const OVERDUE_INTERVAL: Duration = Duration::from_millis(500);

/// Maximum number of connections to close when a connection could not be accepted.
const ACCEPT_FAILURE_CLOSES: usize = 16;

/// Pause before the next connection is accepted then.
const ACCEPT_FAILURE_PAUSE: Duration = Duration::from_millis(20);

/// Interval at which recorded values are added to the histograms of `/metrics`. Without it they use
/// more and more memory if nobody requests `/metrics`.
const UPKEEP: Duration = Duration::from_secs(5);

/// Maximum number of connections that wait to be accepted. The system drops more, and their clients
/// retry a second later. The default maximum of Linux is 4,096.
const BACKLOG: u32 = 4096;

/// A socket that listens. Connections wait until [`serve`] accepts them.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    addr: SocketAddr,
    max_connections: usize,
}

impl Listener {
    /// The address it listens on. Port 0 was replaced by a free port.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Sets the maximum number of open connections. The default is [`MAX_CONNECTIONS`].
    #[must_use]
    pub fn max_connections(self, max: u32) -> Self {
        Self { max_connections: max as usize, ..self }
    }
}

/// Listens on the address, which the setting `variable` contains.
///
/// # Errors
/// When another process listens on it, or it is not an address of this host.
pub async fn bind(addr: SocketAddr, variable: &'static str) -> Result<Listener, StartError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => StartError::AddressTaken { addr, variable },
        _ => StartError::Address { addr, variable, source },
    };
    let socket = listen(addr).map_err(failed)?;
    let addr = socket.local_addr().map_err(failed)?;
    Ok(Listener { socket, addr, max_connections: MAX_CONNECTIONS as usize })
}

fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Without it the port cannot be reused for a minute after a restart.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// Serves until `shutdown`. Then accepts no more requests, answers the open ones and returns.
///
/// The number of connections, the size of heads and the time of unfinished requests are limited.
/// Clients that send complete requests are served, however many connections others keep open.
///
/// # Errors
/// When the process has another recorder of metrics.
pub async fn serve(
    listener: Listener,
    router: Router,
    shutdown: CancellationToken,
) -> Result<(), StartError> {
    tracing::info!("listening on http://{}", listener.addr);
    tokio::select! {
        () = serve_connections(listener, router, shutdown) => Ok(()),
        failed = upkeep() => failed,
    }
}

async fn serve_connections(listener: Listener, router: Router, shutdown: CancellationToken) {
    let Listener { socket, max_connections, .. } = listener;
    let mut connections = Connections::new(max_connections);
    let open_files = LimitLog::new(
        "open files",
        "the server closes idle and unfinished connections to accept new ones; raise the limit \
         (`ulimit -n`)",
    );
    let mut overdue = interval(OVERDUE_INTERVAL);
    overdue.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = socket.accept() => match accepted {
                Ok((stream, _)) => {
                    open_files.not_reached();
                    connections.add(stream, &router, &shutdown);
                }
                Err(error) if is_connection_error(&error) => {}
                // Usually too many open files. The connection waits until a file is closed.
                Err(error) => {
                    tracing::debug!("cannot accept a connection: {error}");
                    open_files.reached();
                    for _ in 0..ACCEPT_FAILURE_CLOSES {
                        connections.make_room();
                    }
                    sleep(ACCEPT_FAILURE_PAUSE).await;
                }
            },
            () = connections.ended() => {}
            _ = overdue.tick() => connections.close_overdue(HEAD_TIMEOUT),
        }
    }
    drop(socket);
    let drained = timeout(DRAIN_TIMEOUT, async {
        while !connections.is_empty() {
            tokio::select! {
                () = connections.ended() => {}
                _ = overdue.tick() => connections.close_overdue(SHUTDOWN_HEAD_TIMEOUT),
            }
        }
    });
    if drained.await.is_err() {
        let requests = connections.unanswered();
        tracing::warn!(
            "the shutdown took longer than {DRAIN_TIMEOUT:?}; closing connections with {requests} \
             unanswered requests"
        );
    }
}

/// Whether only this connection failed, and not accepting in general.
fn is_connection_error(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Runs the upkeep of the metrics. Returns only on an error.
async fn upkeep() -> Result<(), StartError> {
    let recorder = recorder()?;
    let mut interval = interval(UPKEEP);
    loop {
        interval.tick().await;
        recorder.run_upkeep();
    }
}
