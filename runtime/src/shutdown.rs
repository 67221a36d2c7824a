//! When to stop.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::one_line;

/// A token that is cancelled once the process is asked to stop: Ctrl-C or `SIGTERM`. Asked a
/// second time, the process ends at once. Call it inside the runtime.
#[must_use]
pub fn on_signal() -> CancellationToken {
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    tokio::spawn(async move {
        // Without it the signals end the process at once, as they do by default.
        if let Err(error) = listen(&token).await {
            tracing::warn!("cannot stop gracefully: {}", one_line(&error));
        }
    });
    shutdown
}

async fn listen(token: &CancellationToken) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if token.is_cancelled() {
            std::process::exit(130);
        }
        tracing::info!("stopping");
        token.cancel();
    }
}
