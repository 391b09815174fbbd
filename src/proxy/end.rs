//! One end of the relay: a stream, and what it has not taken yet.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::pg::connect::Stream;

/// One end of the relay.
#[derive(Debug)]
pub(super) struct End {
    pub(super) stream: Stream,
    /// Read for the other end, and not written to this one yet.
    pub(super) unsent: Unsent,
    /// TLS may have taken bytes from the socket that it has not given out: the socket alone does
    /// not say whether there is something to read.
    may_have_more: bool,
    pub(super) has_ended: bool,
}

/// Bytes that did not go out at once.
#[derive(Debug, Default)]
pub(super) struct Unsent {
    bytes: Vec<u8>,
    sent: usize,
}

impl End {
    pub(super) fn new(stream: Stream) -> Self {
        End {
            // The login may have left something with TLS.
            may_have_more: stream.is_encrypted(),
            stream,
            unsent: Unsent::default(),
            has_ended: false,
        }
    }

    /// Ready once a read may give something. No buffer is needed to wait.
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.may_have_more {
            true => Poll::Ready(Ok(())),
            false => self.stream.poll_socket_readable(cx),
        }
    }

    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        let read = Pin::new(&mut self.stream).poll_read(cx, &mut buffer);
        self.may_have_more = self.stream.is_encrypted() && read.is_ready();
        ready!(read)?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// Writes what goes out at once, and keeps the rest.
    pub(super) fn send(&mut self, cx: &mut Context<'_>, mut bytes: &[u8]) -> io::Result<()> {
        while self.unsent.is_empty() && !bytes.is_empty() {
            match Pin::new(&mut self.stream).poll_write(cx, bytes) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(sent)) => bytes = &bytes[sent..],
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => break,
            }
        }
        self.unsent.keep(bytes);
        Ok(())
    }

    pub(super) fn poll_send_unsent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let rest = &self.unsent.bytes[self.unsent.sent..];
            match ready!(Pin::new(&mut self.stream).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                sent => self.unsent.drop_first(sent),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl Unsent {
    pub(super) fn is_empty(&self) -> bool {
        self.sent == self.bytes.len()
    }

    pub(super) fn keep(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn drop_first(&mut self, bytes: usize) {
        self.sent += bytes;
        if self.is_empty() {
            // The room too: most sessions never need it again.
            *self = Unsent::default();
        }
    }
}
