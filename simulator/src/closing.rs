//! Closing a connection behind an answer that has not said so.
//!
//! Holds: [`Watched`], a stream, and [`Closing`], what is known of its end.
//! Promises: the answer has left in full before its connection is closed; nothing is read behind it.
//! Leaves to others: closing it (`server`). The library would write `Connection: close` if it was told.

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

/// Whether a connection is to be closed, and when.
#[derive(Default)]
pub(crate) struct Closing {
    due: AtomicBool,
    left: AtomicBool,
    told: Notify,
}

impl Closing {
    /// Orders it. To be called at the end of the work on a request: what is flushed next is the answer.
    pub(crate) fn after_this_answer(&self) {
        self.due.store(true, Ordering::Relaxed);
    }

    /// Returns when it was ordered and the answer has left.
    pub(crate) async fn answer_left(&self) {
        self.told.notified().await;
    }
}

/// A stream that tells when an answer has left.
pub(crate) struct Watched<S> {
    stream: S,
    closing: Arc<Closing>,
}

impl<S> Watched<S> {
    pub(crate) fn new(stream: S, closing: Arc<Closing>) -> Watched<S> {
        Watched { stream, closing }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        // Who is quick must not get a further request in: it would be done, and perhaps answered.
        if self.closing.left.load(Ordering::Relaxed) {
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        // Asked for only when nothing waits to be written.
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        if self.closing.due.load(Ordering::Relaxed) {
            self.closing.left.store(true, Ordering::Relaxed);
            self.closing.told.notify_one();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
