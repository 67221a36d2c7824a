use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What becomes of connections to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// They reach it.
    Up,
    /// They break at once, and so does each new one.
    Cut,
}

/// The way to a server, which can be cut.
pub(crate) struct Proxy {
    pub(crate) addr: SocketAddr,
    line: Arc<watch::Sender<Line>>,
    forgotten: Arc<watch::Sender<u64>>,
}

impl Proxy {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let line = Arc::new(watch::Sender::new(Line::Up));
        let forgotten = Arc::new(watch::Sender::new(0));
        let (lines, forgets) = (line.clone(), forgotten.clone());
        tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(forward(client, server, lines.subscribe(), forgets.subscribe()));
            }
        });
        Self { addr, line, forgotten }
    }

    pub(crate) fn set(&self, line: Line) {
        self.line.send_replace(line);
    }

    /// From now on nothing passes on the connections there are, and neither end is told, as when a
    /// host vanished and another took over its address. New connections reach the server.
    pub(crate) fn forget_connections(&self) {
        self.forgotten.send_modify(|times| *times += 1);
    }
}

async fn forward(
    mut client: TcpStream,
    server: SocketAddr,
    mut line: watch::Receiver<Line>,
    mut forgotten: watch::Receiver<u64>,
) {
    if *line.borrow_and_update() == Line::Cut {
        return;
    }
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let carried = async { copy_bidirectional(&mut client, &mut server).await.is_ok() };
    let cut = async { line.wait_for(|line| *line == Line::Cut).await.is_ok() };
    tokio::select! {
        _ = carried => return,
        _ = cut => return,
        _ = forgotten.changed() => {}
    }
    // The server's end is gone; the client's stays open, and silent.
    drop(server);
    pending::<()>().await;
    drop(client);
}
