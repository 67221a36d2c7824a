use std::time::Duration;

use embedded_smtp::SmtpSink;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

const TIMEOUT: Duration = Duration::from_secs(30);

/// A client that sends exactly what a test says.
pub(crate) struct Client(BufReader<TcpStream>);

pub(crate) async fn sink() -> SmtpSink {
    SmtpSink::start("127.0.0.1:0").await.unwrap()
}

impl Client {
    /// Connects. The greeting is not read yet.
    pub(crate) async fn connect(sink: &SmtpSink) -> Self {
        Self(BufReader::new(TcpStream::connect(sink.address()).await.unwrap()))
    }

    /// Connects, reads the greeting and says `EHLO`.
    pub(crate) async fn greeted(sink: &SmtpSink) -> Self {
        let mut client = Self::connect(sink).await;
        assert!(client.answer().await.starts_with("220 "));
        assert!(client.command("EHLO client").await.starts_with("250"));
        client
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// Sends a line and returns the answer.
    pub(crate) async fn command(&mut self, line: &str) -> String {
        self.write(format!("{line}\r\n").as_bytes()).await;
        self.answer().await
    }

    /// The next answer with all its lines. It is empty if the server has closed the connection.
    pub(crate) async fn answer(&mut self) -> String {
        let mut answer = String::new();
        loop {
            let start = answer.len();
            let read = timeout(TIMEOUT, self.0.read_line(&mut answer)).await.unwrap();
            if read.unwrap_or(0) == 0 || answer.as_bytes().get(start + 3) != Some(&b'-') {
                return answer.trim_end().to_owned();
            }
        }
    }

    /// Sends a mail up to `DATA`, and its content with the dot at the end. Returns the last answer.
    pub(crate) async fn mail(&mut self, to: &str, content: &str) -> String {
        for command in ["MAIL FROM:<orders@shop.example>", &format!("RCPT TO:<{to}>"), "DATA"] {
            let answer = self.command(command).await;
            if !answer.starts_with(['2', '3']) {
                return answer;
            }
        }
        self.command(&format!("{content}\r\n.")).await
    }

    pub(crate) async fn is_closed(&mut self) -> bool {
        timeout(TIMEOUT, self.0.read_to_end(&mut Vec::new())).await.is_ok()
    }
}
