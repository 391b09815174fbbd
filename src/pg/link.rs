//! Reading and writing frames on an open stream: the part that connections of every kind share.

use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use postgres_protocol::message::backend::Message;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::connect::Stream;
use super::error::Error;
use super::server_error::{ServerError, server_error};
use crate::wire::frame;

/// Room for one read: larger ones do not make COPY faster, smaller ones cost more system calls.
const READ_BYTES: usize = 128 * 1024;

/// A buffer that a large value made larger than this is given back once it is empty.
const KEEP_BYTES: usize = 4 * 1024 * 1024;

/// How long to wait for a server's explanation after it closed the connection on us.
const LAST_WORDS_LIMIT: Duration = Duration::from_secs(1);

/// A stream with what was read ahead and what is not sent yet.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) stream: Stream,
    pub(super) input: BytesMut,
    pub(super) output: BytesMut,
    pub(super) parameters: HashMap<String, String>,
}

impl Link {
    pub(super) fn new(stream: Stream) -> Self {
        Link {
            stream,
            input: BytesMut::with_capacity(READ_BYTES),
            output: BytesMut::new(),
            parameters: HashMap::new(),
        }
    }

    /// The next message that is for the caller. Cancel safe.
    pub(super) async fn next(&mut self) -> Result<Message, Error> {
        next_message(&mut self.stream, &mut self.input, &mut self.parameters).await
    }

    /// Reads until a whole frame is in `input`; its header. Cancel safe.
    pub(super) async fn next_header(&mut self) -> Result<frame::Header, Error> {
        fill_frame(&mut self.stream, &mut self.input).await
    }

    /// Reads once, whatever comes. Cancel safe.
    pub(super) async fn read_more(&mut self) -> Result<(), Error> {
        make_room(&mut self.input, 1);
        match self.stream.read_buf(&mut self.input).await? {
            0 => Err(Error::closed()),
            _ => Ok(()),
        }
    }

    /// The header of the frame at the front of `input`, if all of it is there.
    pub(super) fn whole_frame(&self) -> Result<Option<frame::Header>, Error> {
        let header = frame::Header::peek(&self.input)?;
        Ok(header.filter(|header| self.input.len() >= header.frame_bytes()))
    }

    /// Takes the whole message at the front of `input`; none if it was handled here.
    pub(super) fn take_message(&mut self) -> Result<Option<Message>, Error> {
        parse_message(&mut self.input, &mut self.parameters)
    }

    /// Sends what is in `output`. Cancel safe: what is left goes with the next call.
    pub(super) async fn flush(&mut self) -> Result<(), Error> {
        let sent = flush(&mut self.stream, &mut self.output).await;
        match sent {
            Ok(()) => Ok(()),
            Err(error) => Err(self.last_words(error).await),
        }
    }

    /// Reads up to ReadyForQuery after an error, so that the connection can be used again; gives
    /// the error back.
    pub(super) async fn recover(&mut self, error: ServerError) -> Error {
        if !error.is_fatal() {
            while let Ok(message) = self.next().await {
                if matches!(message, Message::ReadyForQuery(_)) {
                    break;
                }
            }
        }
        error.into()
    }

    /// Why a write failed: the server's own words if it sent any before it closed.
    pub(super) async fn last_words(&mut self, error: io::Error) -> Error {
        let search = async {
            loop {
                match self.next().await {
                    Ok(Message::ErrorResponse(body)) => return Some(server_error(&body)),
                    Ok(_) => {}
                    Err(_) => return None,
                }
            }
        };
        match tokio::time::timeout(LAST_WORDS_LIMIT, search).await {
            Ok(Some(words)) => words.into(),
            Ok(None) | Err(_) => Error::Lost(Some(error)),
        }
    }

    /// Takes in what the server has already sent, without waiting.
    pub(super) async fn look(&mut self) -> Result<(), Error> {
        loop {
            make_room(&mut self.input, 1);
            let read = poll_fn(|cx| {
                let mut reading = std::pin::pin!(self.stream.read_buf(&mut self.input));
                match reading.as_mut().poll(cx) {
                    Poll::Ready(read) => Poll::Ready(Some(read)),
                    Poll::Pending => Poll::Ready(None),
                }
            });
            match read.await {
                None => return Ok(()),
                Some(Ok(0)) => return Err(Error::closed()),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
            }
        }
    }

    /// Sends `output`, then `body`, and reads whenever the server does not take more: it may be
    /// waiting for us to read. Not cancel safe: a frame may be cut off.
    pub(super) async fn send_and_listen(&mut self, mut body: &[u8]) -> Result<(), Error> {
        let Link {
            stream,
            input,
            output,
            ..
        } = self;
        let sent = poll_fn(|cx| {
            loop {
                if output.is_empty() && body.is_empty() {
                    return Poll::Ready(Ok(()));
                }
                let pieces = [io::IoSlice::new(output), io::IoSlice::new(body)];
                let written = match output.is_empty() {
                    true => Pin::new(&mut *stream).poll_write(cx, body),
                    false => Pin::new(&mut *stream).poll_write_vectored(cx, &pieces),
                };
                match written {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    Poll::Ready(Ok(count)) => {
                        let of_output = count.min(output.len());
                        output.advance(of_output);
                        body = &body[count - of_output..];
                        continue;
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => {}
                }
                make_room(input, 1);
                let mut reading = std::pin::pin!(stream.read_buf(input));
                match reading.as_mut().poll(cx) {
                    Poll::Ready(Ok(0)) => {
                        return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                    }
                    Poll::Ready(Ok(_)) => {}
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => return Poll::Pending,
                }
            }
        });
        match sent.await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.last_words(error).await),
        }
    }
}

/// Grows `input` for `missing` bytes more, at least one read; shrinks what a large value left.
fn make_room(input: &mut BytesMut, missing: usize) {
    if input.is_empty() && input.capacity() > KEEP_BYTES && missing < READ_BYTES {
        *input = BytesMut::with_capacity(READ_BYTES);
    }
    // Of a huge frame the room is made as its bytes come, never more than doubled at once: a
    // length is a claim until they do.
    let wanted = missing.min(input.len()).max(READ_BYTES / 2);
    if input.capacity() - input.len() < READ_BYTES / 4 {
        input.reserve(wanted.max(READ_BYTES));
    }
}

/// Reads until `input` begins with a whole frame. Cancel safe.
pub(super) async fn fill_frame<R: AsyncRead + Unpin>(
    stream: &mut R,
    input: &mut BytesMut,
) -> Result<frame::Header, Error> {
    loop {
        let missing = frame::missing_bytes(input)?;
        if let (0, Some(header)) = (missing, frame::Header::peek(input)?) {
            return Ok(header);
        }
        make_room(input, missing);
        if stream.read_buf(input).await? == 0 {
            return Err(Error::closed());
        }
    }
}

/// The next message that is not handled here. Cancel safe.
pub(super) async fn next_message<R: AsyncRead + Unpin>(
    stream: &mut R,
    input: &mut BytesMut,
    parameters: &mut HashMap<String, String>,
) -> Result<Message, Error> {
    loop {
        fill_frame(stream, input).await?;
        if let Some(message) = parse_message(input, parameters)? {
            return Ok(message);
        }
    }
}

/// Sends all of `output`. Cancel safe: what is sent is taken out.
pub(super) async fn flush<W: AsyncWrite + Unpin>(
    stream: &mut W,
    output: &mut BytesMut,
) -> io::Result<()> {
    while !output.is_empty() {
        if stream.write_buf(output).await? == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
    }
    stream.flush().await
}

/// Takes one message; none if it was a notice, a parameter or a notification, which may come at
/// any time.
fn parse_message(
    input: &mut BytesMut,
    parameters: &mut HashMap<String, String>,
) -> Result<Option<Message>, Error> {
    let Some(message) = Message::parse(input)? else {
        return Err(Error::Protocol(
            "a message that is not all there".to_owned(),
        ));
    };
    match message {
        Message::NoticeResponse(body) => {
            let notice = ServerError::of_notice(&body);
            tracing::debug!(severity = %notice.severity, "server: {notice}");
        }
        Message::ParameterStatus(body) => {
            parameters.insert(body.name()?.to_owned(), body.value()?.to_owned());
        }
        Message::NotificationResponse(_) => {}
        other => return Ok(Some(other)),
    }
    Ok(None)
}
