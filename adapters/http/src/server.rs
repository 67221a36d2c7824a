mod connections;
mod progress;

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
use super::prometheus::recorder;
use super::surge::Surge;

/// How long requests that are being answered may take once the server is told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// How long a head that has begun may take once the server is told to stop.
const LAST_HEAD: Duration = Duration::from_secs(1);

/// How often the server looks for connections that are overdue.
const LOOK: Duration = Duration::from_millis(500);

/// After the system had no means for a connection: how many others are closed at most, and how long
/// that may take.
const RELIEF: (usize, Duration) = (16, Duration::from_millis(20));

/// How often what was measured is folded into what `/metrics` shows, so that it does not pile up
/// while nobody asks.
const UPKEEP: Duration = Duration::from_secs(5);

/// How many connections wait to be accepted before the system drops more, whose clients try again a
/// second later. Linux allows 4,096 unless it is set up otherwise.
const BACKLOG: u32 = 4096;

/// An address that is taken: connections wait there until it is served.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    addr: SocketAddr,
    max_connections: usize,
}

impl Listener {
    /// Where it listens; port 0 has become a real one.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Limits how many connections there are at the same time; otherwise [`MAX_CONNECTIONS`].
    #[must_use]
    pub fn max_connections(self, max: u32) -> Self {
        Self { max_connections: max as usize, ..self }
    }
}

/// Takes the address that `variable` names.
///
/// # Errors
/// When somebody listens there already, or the address is not this host's.
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
    // Or a port could not be taken again for a minute after a restart.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// Serves until `shutdown`, then takes no more requests, answers those it has, and returns.
///
/// Connections are limited in their number, the size of a head, and the time they keep the server
/// waiting. Whoever sends whole requests is served however many others do not.
///
/// # Errors
/// When the process counts its metrics in another way already.
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
    let files = Surge::of(
        "open files",
        "connections wait, and others are closed for them; raise the limit that `ulimit -n` shows",
    );
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = socket.accept() => match accepted {
                Ok((stream, _)) => {
                    files.ends();
                    connections.add(stream, &router, &shutdown);
                }
                Err(error) if is_of_the_connection(&error) => {}
                // No file descriptor is left, mostly. The connection waits until one is.
                Err(error) => {
                    tracing::debug!("cannot accept a connection: {error}");
                    files.begins();
                    let (count, pause) = RELIEF;
                    for _ in 0..count {
                        connections.make_room();
                    }
                    sleep(pause).await;
                }
            },
            () = connections.ended() => {}
            _ = look.tick() => connections.close_overdue(HEAD_TIMEOUT),
        }
    }
    drop(socket);
    let drained = timeout(DRAIN, async {
        while !connections.is_empty() {
            tokio::select! {
                () = connections.ended() => {}
                _ = look.tick() => connections.close_overdue(LAST_HEAD),
            }
        }
    });
    if drained.await.is_err() {
        let requests = connections.unanswered();
        tracing::warn!("stopped with {requests} requests unanswered after {DRAIN:?}");
    }
}

/// Whether it was the connection's fault that it could not be accepted.
fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Never ends well: it goes on as long as the server does.
async fn upkeep() -> Result<(), StartError> {
    let recorder = recorder()?;
    let mut interval = interval(UPKEEP);
    loop {
        interval.tick().await;
        recorder.run_upkeep();
    }
}
