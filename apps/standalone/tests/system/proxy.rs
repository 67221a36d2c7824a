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
    /// They stay, and nothing ever passes them again, nor each new one: a host that vanished.
    Silent,
}

/// The way to a server, which can be cut.
pub(crate) struct Proxy {
    pub(crate) addr: SocketAddr,
    line: Arc<watch::Sender<Line>>,
}

impl Proxy {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let line = Arc::new(watch::Sender::new(Line::Up));
        let lines = line.clone();
        tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(forward(client, server, lines.subscribe()));
            }
        });
        Self { addr, line }
    }

    pub(crate) fn set(&self, line: Line) {
        self.line.send_replace(line);
    }
}

async fn forward(mut client: TcpStream, server: SocketAddr, mut line: watch::Receiver<Line>) {
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    tokio::select! {
        biased;
        Ok(trouble) = line.wait_for(|line| *line != Line::Up) => {
            if *trouble == Line::Cut {
                return;
            }
        }
        _ = copy_bidirectional(&mut client, &mut server) => return,
    }
    let _ = line.wait_for(|line| *line == Line::Cut).await;
}
