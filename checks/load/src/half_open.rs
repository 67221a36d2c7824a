use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Keeps connections with unfinished requests open. Opens them evenly spread over `pause`, and
/// again `pause` after the server has closed them.
pub(crate) async fn keep(server: SocketAddr, connections: u32, pause: Duration) {
    let keepers = (0..connections).map(|number| async move {
        sleep(pause * number / connections).await;
        loop {
            // Errors are expected: the server closes the connection.
            let _ = until_closed(server).await;
            sleep(pause).await;
        }
    });
    keepers.collect::<JoinSet<()>>().join_all().await;
}

async fn until_closed(server: SocketAddr) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(server).await?;
    stream.write_all(b"POST /api/orders HTTP/1.1\r\nHost: localhost\r\nX-More: ").await?;
    stream.read(&mut [0]).await.map(drop)
}
