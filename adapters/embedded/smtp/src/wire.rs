use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long the server waits for the next line of a client (RFC 5321, 4.5.3.2.7).
const IDLE: Duration = Duration::from_mins(5);

/// Maximum length of a command, with its line break. AUTH has the longest ones (RFC 4954, 4).
const MAX_COMMAND_BYTES: usize = 12_288;

/// The lines of a connection.
pub(crate) struct Wire {
    stream: BufReader<TcpStream>,
}

/// The content of a mail, as it was sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// The bytes, without the dots that were added for the transfer.
    Complete(Vec<u8>),
    /// It was longer than the limit and was discarded.
    TooLarge,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream: BufReader::new(stream) }
    }

    /// The next command, without its line break. `None` if the client has closed the connection.
    pub(crate) async fn command(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        self.line(&mut line, MAX_COMMAND_BYTES).await?;
        if line.last() != Some(&b'\n') {
            return match line.len() {
                MAX_COMMAND_BYTES => Err(io::Error::other("a command is too long")),
                _ => Ok(None),
            };
        }
        Ok(Some(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned()))
    }

    /// Reads the content of a mail up to the line with a single dot. Only CR LF ends a line: a client
    /// that relays foreign content could otherwise be made to send a second mail.
    pub(crate) async fn content(&mut self, limit: usize) -> io::Result<Content> {
        let mut content = Vec::new();
        let mut too_large = false;
        let mut at_line_start = true;
        let mut line = Vec::new();
        loop {
            line.clear();
            self.line(&mut line, limit).await?;
            if line.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if at_line_start && line == b".\r\n" {
                break;
            }
            let stuffed = at_line_start && line.starts_with(b".");
            at_line_start = line.ends_with(b"\r\n");
            let rest = if stuffed { &line[1..] } else { &line };
            too_large = too_large || content.len() + rest.len() > limit;
            if !too_large {
                content.extend_from_slice(rest);
            }
        }
        Ok(if too_large { Content::TooLarge } else { Content::Complete(content) })
    }

    /// Sends an answer. Its lines are separated by LF.
    pub(crate) async fn answer(&mut self, code: u16, text: &str) -> io::Result<()> {
        let mut lines: Vec<_> = text.split('\n').map(|line| format!("{code}-{line}\r\n")).collect();
        if let Some(last) = lines.last_mut() {
            *last = last.replacen('-', " ", 1);
        }
        let answer = lines.concat();
        self.stream.get_mut().write_all(answer.as_bytes()).await
    }

    /// Waits until the client closes the connection.
    pub(crate) async fn closed(&mut self) -> io::Result<()> {
        tokio::io::copy(&mut self.stream, &mut tokio::io::sink()).await.map(drop)
    }

    async fn line(&mut self, line: &mut Vec<u8>, limit: usize) -> io::Result<()> {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        let mut limited = (&mut self.stream).take(limit);
        timeout(IDLE, limited.read_until(b'\n', line)).await??;
        Ok(())
    }
}
