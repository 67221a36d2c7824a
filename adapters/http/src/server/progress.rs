use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::Bytes;
use hyper::body::{Body, Buf as _, Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::refused_head::with_problem;

/// The phase of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Waiting for the rest of the head.
    Head,
    /// Waiting for the rest of the body.
    Body,
    /// The server is preparing the answer.
    Answer,
    /// The answer is sent or being sent, and the client has not begun another request.
    Idle,
}

/// The phase of a connection, and when it began. Clones share their state.
#[derive(Debug, Clone)]
pub(super) struct Progress(Arc<Mutex<(Phase, Instant)>>);

impl Progress {
    /// The progress of a new connection.
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new((Phase::Head, Instant::now()))))
    }

    pub(super) fn get(&self) -> (Phase, Instant) {
        *self.lock()
    }

    pub(super) fn enter(&self, phase: Phase) {
        *self.lock() = (phase, Instant::now());
    }

    /// Enters `phase` if the connection is in `from`. Returns whether it was.
    fn advance(&self, from: Phase, phase: Phase) -> bool {
        let mut now = self.lock();
        let is_in = now.0 == from;
        if is_in {
            *now = (phase, Instant::now());
        }
        is_in
    }

    fn lock(&self) -> MutexGuard<'_, (Phase, Instant)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that records when the next head begins and when a part of an answer was written. It
/// also gives a body to hyper's answer to a head that it cannot read, see [`with_problem`].
#[derive(Debug)]
pub(super) struct Watched {
    stream: TcpStream,
    progress: Progress,
    /// Whether the first line of the head was read.
    first_line_ended: bool,
    /// What is still to write instead of hyper's answer.
    instead: Option<Bytes>,
}

impl Watched {
    pub(super) const fn new(stream: TcpStream, progress: Progress) -> Self {
        Self { stream, progress, first_line_ended: false, instead: None }
    }

    /// Begins to replace hyper's answer to a head that it cannot read. hyper writes it alone, before
    /// the head has reached the router. After a pipelined request it can differ; then it is kept.
    fn replace(&mut self, answer: &[u8]) {
        if self.instead.is_none() && self.progress.get().0 == Phase::Head {
            self.instead = with_problem(answer, self.first_line_ended);
        }
    }

    /// Writes what replaces the answer. Ready when there is nothing left to write.
    fn poll_replaced(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let Some(rest) = &mut self.instead else { return Poll::Ready(Ok(false)) };
        while !rest.is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => rest.advance(written),
            }
        }
        self.instead = None;
        Poll::Ready(Ok(true))
    }

    /// Restarts the idle timeout, since the client is still reading the answer.
    fn wrote(&self) {
        self.progress.advance(Phase::Idle, Phase::Idle);
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let read = &buf.filled()[before..];
        if !read.is_empty() && self.progress.advance(Phase::Idle, Phase::Head) {
            self.first_line_ended = false;
        }
        self.first_line_ended |= read.contains(&b'\n');
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.replace(buf);
        if ready!(self.poll_replaced(cx))? {
            return Poll::Ready(Ok(buf.len()));
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.wrote();
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [buf] = bufs {
            return self.poll_write(cx, buf);
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, bufs))?;
        self.wrote();
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The body of a request. It is dropped when it was read to its end; this begins the phase
/// [`Phase::Answer`].
#[derive(Debug)]
pub(super) struct RequestBody {
    body: Incoming,
    progress: Progress,
}

impl RequestBody {
    /// Begins the phase after the head.
    pub(super) fn new(body: Incoming, progress: Progress) -> Self {
        progress.enter(if body.is_end_stream() { Phase::Answer } else { Phase::Body });
        Self { body, progress }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        self.progress.advance(Phase::Body, Phase::Answer);
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
