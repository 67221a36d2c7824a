use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::prometheus::recorder;
use crate::StartError;

/// How long requests that are being answered may take once the server is told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// How often what was measured is folded into what `/metrics` shows, so that it does not pile up
/// while nobody asks.
const UPKEEP: Duration = Duration::from_secs(5);

/// An address that is taken: connections wait there until it is served.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    addr: SocketAddr,
}

impl Listener {
    /// Where it listens; port 0 has become a real one.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
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
    let listener = TcpListener::bind(addr).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    Ok(Listener { listener, addr })
}

/// Serves until `shutdown`, then takes no more requests, answers those it has, and returns.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: Listener,
    router: Router,
    shutdown: CancellationToken,
) -> Result<(), StartError> {
    let Listener { listener, addr } = listener;
    let listener = listener.tap_io(|connection| {
        // An answer is written at once; there is nothing to wait for.
        let _ = connection.set_nodelay(true);
    });
    let server =
        axum::serve(listener, router).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    tracing::info!("listening on http://{addr}");
    tokio::select! {
        served = server => served
            .map_err(|error| StartError::other(format!("cannot serve on {addr}"), error)),
        () = drained(&shutdown) => {
            tracing::warn!("stopped with requests unanswered after {DRAIN:?}");
            Ok(())
        }
        failed = upkeep() => failed,
    }
}

async fn drained(shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    tokio::time::sleep(DRAIN).await;
}

/// Never ends well: it goes on as long as the server does.
async fn upkeep() -> Result<(), StartError> {
    let recorder = recorder()?;
    let mut interval = tokio::time::interval(UPKEEP);
    loop {
        interval.tick().await;
        recorder.run_upkeep();
    }
}
