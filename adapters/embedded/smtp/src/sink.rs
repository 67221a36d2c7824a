use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::mailbox::Mailbox;
use crate::session::Session;
use crate::shared::Shared;
use crate::{Mail, Reaction, Step};

/// A running SMTP server that keeps the latest mails in memory: at most 1,000 mails and 16 MiB.
/// Dropping it stops it.
pub struct SmtpSink {
    address: SocketAddr,
    server: Arc<Server>,
    _stop: DropGuard,
}

struct Server {
    shared: Arc<Shared>,
    connections: AtomicU64,
    stop: CancellationToken,
    /// Closes the connections that are open now. It is a child of `stop`.
    close: Mutex<CancellationToken>,
    tasks: TaskTracker,
}

impl SmtpSink {
    /// Starts a server that accepts every mail. Port 0 selects a free port.
    ///
    /// # Errors
    /// When it cannot listen at the address.
    pub async fn start(address: impl ToSocketAddrs) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let server = Arc::new(Server {
            shared: Arc::default(),
            connections: AtomicU64::new(0),
            close: Mutex::new(stop.child_token()),
            stop: stop.clone(),
            tasks: TaskTracker::new(),
        });
        server.tasks.spawn(accept(listener, server.clone()));
        Ok(Self { address, server, _stop: stop.drop_guard() })
    }

    /// The address where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Decides from now on what the server does at each step.
    pub fn set_behaviour(&self, behaviour: impl Fn(Step<'_>) -> Reaction + Send + Sync + 'static) {
        self.server.shared.set_behaviour(Arc::new(behaviour));
    }

    /// The accepted mails that are still stored, oldest first.
    #[must_use]
    pub fn mails(&self) -> Vec<Arc<Mail>> {
        let mut mails = self.attempts();
        mails.retain(|mail| mail.accepted);
        mails
    }

    /// The accepted mails, and those that were refused after their content was received; oldest first.
    #[must_use]
    pub fn attempts(&self) -> Vec<Arc<Mail>> {
        self.server.shared.mailbox.all()
    }

    /// Waits until the accepted mails fulfil the condition, and returns them. The caller bounds the wait.
    pub async fn wait_until(&self, condition: impl Fn(&[Arc<Mail>]) -> bool) -> Vec<Arc<Mail>> {
        let mut changes = self.server.shared.mailbox.changes();
        loop {
            changes.mark_unchanged();
            let mails = self.mails();
            if condition(&mails) {
                return mails;
            }
            if changes.changed().await.is_err() {
                // The mailbox lives as long as `self`.
                std::future::pending::<()>().await;
            }
        }
    }

    /// How many connections clients have opened since the start.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.server.connections.load(Ordering::Relaxed)
    }

    /// How many connections are open now.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        // One task accepts connections.
        self.server.tasks.len().saturating_sub(1)
    }

    /// Closes all open connections. New ones are accepted.
    pub fn close_connections(&self) {
        let mut close = self.server.close.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *close, self.server.stop.child_token()).cancel();
    }

    /// Closes the port and all connections, and waits until this is done.
    pub async fn stop(self) {
        self.server.stop.cancel();
        self.server.tasks.close();
        self.server.tasks.wait().await;
    }

    pub(crate) fn mailbox(&self) -> Arc<Mailbox> {
        self.server.shared.mailbox.clone()
    }
}

impl fmt::Debug for SmtpSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpSink").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Server {
    fn serve(self: &Arc<Self>, stream: TcpStream) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        let close = self.close.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let session = Session::new(stream, self.shared.clone());
        self.tasks.spawn(async move {
            // An error of a connection ends the connection only.
            let _ = close.run_until_cancelled(session.run()).await;
        });
    }
}

async fn accept(listener: TcpListener, server: Arc<Server>) {
    let stop = server.stop.clone();
    let accept_all = async {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => server.serve(stream),
                // Such as too many open files. Wait until some are closed.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    };
    stop.run_until_cancelled(accept_all).await;
}
