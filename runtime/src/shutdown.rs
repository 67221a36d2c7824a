//! Shutdown on a signal.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::one_line;

/// A token that is cancelled when the process gets `SIGINT` (Ctrl-C) or `SIGTERM`. At the second
/// signal the process exits at once. Must be called in a tokio runtime.
#[must_use]
pub fn on_signal() -> CancellationToken {
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    tokio::spawn(async move {
        // If this fails, the signals keep their default effect: the process exits at once.
        if let Err(error) = listen(&token).await {
            tracing::warn!(
                "cannot handle signals; a signal will stop the process without a graceful shutdown: {}",
                one_line(&error)
            );
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
