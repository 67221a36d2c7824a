//! Shutdown on a signal, and the end of the process.

use std::io::{self, Write as _};

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
            exit(130);
        }
        tracing::info!("stopping");
        token.cancel();
    }
}

/// Ends the process without the exit handlers of its libraries.
///
/// The handler of OpenSSL would free what threads of librdkafka still use, if one of its clients
/// waits for an answer. The process would end with a segmentation fault then.
pub(crate) fn exit(status: i32) -> ! {
    // Nobody is left who could handle the error.
    let _ = io::stdout().flush();
    signal_hook::low_level::exit(status)
}
