use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// State of the network between a program and a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Connections work.
    Up,
    /// Open and new connections are closed at once.
    Down,
    /// Open and new connections stay open, and nothing passes them ever again, as if the server's
    /// host vanished.
    Silent,
}

/// A TCP proxy in front of a server. It can make the network to the server fail.
#[derive(Debug)]
pub struct Proxy {
    /// The address that the program under test connects to.
    pub addr: SocketAddr,
    network: Arc<watch::Sender<Network>>,
}

impl Proxy {
    /// Starts a proxy to this server, with the network up.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let network = Arc::new(watch::Sender::new(Network::Up));
        let changes = network.clone();
        tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(forward(client, server, changes.subscribe()));
            }
        });
        Self { addr, network }
    }

    /// Changes the state of the network.
    pub fn set(&self, network: Network) {
        self.network.send_replace(network);
    }
}

async fn forward(mut client: TcpStream, server: SocketAddr, mut network: watch::Receiver<Network>) {
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    tokio::select! {
        biased;
        Ok(failure) = network.wait_for(|network| *network != Network::Up) => {
            if *failure == Network::Down {
                return;
            }
        }
        _ = copy_bidirectional(&mut client, &mut server) => return,
    }
    let _ = network.wait_for(|network| *network == Network::Down).await;
}
