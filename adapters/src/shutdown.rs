//! When to stop.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::StartError;

/// A token that is cancelled once the process is asked to stop: Ctrl-C or `SIGTERM`. Asked a
/// second time, the process ends at once.
///
/// # Errors
/// When the system does not let this process hear its signals.
pub fn on_signal() -> Result<CancellationToken, StartError> {
    let failed = |error| StartError::other("cannot listen for signals", error);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    tokio::spawn(async move {
        for asked in 1.. {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if asked > 1 {
                std::process::exit(130);
            }
            tracing::info!("stopping");
            token.cancel();
        }
    });
    Ok(shutdown)
}
