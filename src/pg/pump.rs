//! The bytes of a COPY from one server to another.
//!
//! Two things make this the least work that it can be. Rows are not looked at: the bodies of the
//! source's many small messages are joined to large ones for the target. And each wait is for the
//! one thing that is needed: a runtime that watches both sockets would wake up whenever the source
//! sends, also while the target cannot take more, and these wake-ups cost more than the bytes.
//!
//! So the thread waits itself, by poll(2), for a moment at most; it must be one whose runtime has
//! nothing else to do. Encrypted connections wait in the runtime.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, recv, send};
use postgres_protocol::message::backend::{COPY_DATA_TAG, Message};

use super::connect::Stream;
use super::connection::Connection;
use super::error::Error;
use super::link::Link;
use super::server_error::server_error;
use crate::wire::frame::{self, HEADER_BYTES};

/// The target gets frames of about this size: one a row costs its backend far more than the rows,
/// and from here on larger ones save nothing.
const FRAME_BYTES: usize = 128 * 1024;

/// Room for one read: about what a local socket holds.
const READ_BYTES: usize = 256 * 1024;

/// Room for an error message, or the beginning of one: the next look takes the rest.
const GLANCE_BYTES: usize = 4096;

/// How long a wait blocks the thread before others of its runtime, such as a timer, get a turn.
const TURN_MS: u8 = 50;

/// A read that brought less than this means that the source is slower than we are.
const SMALL_READ: usize = 32 * 1024;

/// How long the source is then left alone, to have more to read at once: a local socket is not
/// full after this time.
const NAP: Duration = Duration::from_micros(200);

/// A COPY of fewer bytes is over before a nap is worth while.
const NAPS_FROM: u64 = 1 << 20;

/// Which side stopped a COPY.
#[derive(Debug)]
pub enum PumpError {
    /// Reading.
    Source(Error),
    /// Writing.
    Target(Error),
}

/// How the data ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pumped {
    /// All of it is sent to the target.
    All,
    /// The caller wanted no more; both connections are in the middle of their COPY.
    Stopped,
}

/// Moves what the COPY of `source` sends to that of `target`, until its end or until `go_on` says
/// no. `moved` goes up by the bytes that the target has been sent.
///
/// Blocks the thread for moments at a time. Not cancel safe: frames may be cut off, and both
/// connections are of no more use then.
///
/// # Errors
/// Which side failed; the connection of the other is in the middle of its COPY.
pub async fn pump(
    source: &mut Connection,
    target: &mut Connection,
    moved: &AtomicU64,
    go_on: impl Fn() -> bool,
) -> Result<Pumped, PumpError> {
    let mut out = BytesMut::with_capacity(FRAME_BYTES + READ_BYTES + HEADER_BYTES);
    let mut buffer = vec![0; READ_BYTES];
    let mut more = true;
    while more {
        if !go_on() {
            return Ok(Pumped::Stopped);
        }
        out.clear();
        out.extend_from_slice(&[0; HEADER_BYTES]);
        let naps = moved.load(Ordering::Relaxed) >= NAPS_FROM;
        let read = source.gather(&mut buffer, &mut out, naps).await;
        more = read.map_err(PumpError::Source)?;
        let body = out.len() - HEADER_BYTES;
        if body > 0 {
            target.pass_on(&mut out).await.map_err(PumpError::Target)?;
            moved.fetch_add(body as u64, Ordering::Relaxed);
        }
    }
    Ok(Pumped::All)
}

impl Connection {
    /// Appends what COPY sends to `out` until a frame is full; false at the end.
    async fn gather(
        &mut self,
        buffer: &mut [u8],
        out: &mut BytesMut,
        naps: bool,
    ) -> Result<bool, Error> {
        loop {
            let (used, left) = move_bodies(&self.link.input, out, self.copy_left)?;
            self.link.input.advance(used);
            self.copy_left = left;
            // A frame has at most one read more than this, so memory is bounded whatever the rows.
            if out.len() >= FRAME_BYTES {
                return Ok(true);
            }
            match frame::Header::peek(&self.link.input)? {
                Some(header) if left == 0 && header.tag != COPY_DATA_TAG => {
                    if let Some(more) = self.not_data().await? {
                        return Ok(more);
                    }
                }
                _ => self.read_into(buffer, out, naps).await?,
            }
        }
    }

    /// Reads once, and moves what it can from where it was read.
    async fn read_into(
        &mut self,
        buffer: &mut [u8],
        out: &mut BytesMut,
        naps: bool,
    ) -> Result<(), Error> {
        let Some(read) = self.link.receive(buffer, naps).await? else {
            return self.link.read_more().await;
        };
        let bytes = &buffer[..read];
        if self.link.input.is_empty() {
            let (used, left) = move_bodies(bytes, out, self.copy_left)?;
            self.copy_left = left;
            self.link.input.extend_from_slice(&bytes[used..]);
        } else {
            // The beginning of a header.
            self.link.input.extend_from_slice(bytes);
        }
        Ok(())
    }

    /// A message among the data that is none: the end, an error, or nothing of interest.
    async fn not_data(&mut self) -> Result<Option<bool>, Error> {
        self.link.next_header().await?;
        match self.link.take_message()? {
            Some(Message::CopyDone) => Ok(Some(false)),
            Some(Message::ErrorResponse(body)) => Err(self.link.recover(server_error(&body)).await),
            None => Ok(None),
            Some(_) => Err(Error::Protocol("odd message within COPY".to_owned())),
        }
    }

    /// Sends `out`, a frame whose header is still to be written, and looks whether the server has
    /// refused meanwhile.
    async fn pass_on(&mut self, out: &mut BytesMut) -> Result<(), Error> {
        let header = frame::header(COPY_DATA_TAG, out.len() - HEADER_BYTES)?;
        out[..HEADER_BYTES].copy_from_slice(&header);
        match self.link.stream.is_encrypted() {
            true => {
                self.link.send_and_listen(out).await?;
                // Lets the runtime see what has arrived.
                tokio::task::yield_now().await;
                self.link.look().await?;
            }
            false => {
                if let Err(error) = self.link.send_all(out).await {
                    return Err(self.link.last_words(error.into()).await);
                }
                self.link.glance()?;
            }
        }
        self.refused_already().await
    }
}

impl Link {
    /// Reads once into `buffer`; how much. None if only the runtime can read this connection.
    async fn receive(&self, buffer: &mut [u8], naps: bool) -> Result<Option<usize>, Error> {
        let Some(socket) = plain_socket(&self.stream) else {
            return Ok(None);
        };
        loop {
            match recv(socket.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT) {
                Ok(0) => return Err(Error::closed()),
                Ok(read) => {
                    if naps && read < SMALL_READ {
                        std::thread::sleep(NAP);
                    }
                    return Ok(Some(read));
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => wait_for(socket, PollFlags::POLLIN).await,
                Err(error) => return Err(std::io::Error::from(error).into()),
            }
        }
    }

    /// Takes in what has already arrived.
    fn glance(&mut self) -> Result<(), Error> {
        let Some(socket) = plain_socket(&self.stream) else {
            return Ok(());
        };
        let had = self.input.len();
        self.input.resize(had + GLANCE_BYTES, 0);
        let read = recv(
            socket.as_raw_fd(),
            &mut self.input[had..],
            MsgFlags::MSG_DONTWAIT,
        );
        self.input.truncate(had + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => Err(Error::closed()),
            Ok(_) | Err(Errno::EAGAIN | Errno::EINTR) => Ok(()),
            Err(error) => Err(std::io::Error::from(error).into()),
        }
    }

    /// Writes all of it.
    async fn send_all(&self, mut bytes: &[u8]) -> Result<(), Errno> {
        let Some(socket) = plain_socket(&self.stream) else {
            return Err(Errno::ENOTSOCK);
        };
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
        while !bytes.is_empty() {
            match send(socket.as_raw_fd(), bytes, flags) {
                Ok(sent) => bytes = &bytes[sent..],
                Err(Errno::EINTR) => {}
                // A server that has refused the COPY goes on reading, so this ends.
                Err(Errno::EAGAIN) => wait_for(socket, PollFlags::POLLOUT).await,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Appends the bodies of the CopyData frames at the front of `bytes` to `out`, up to the end or to
/// something else. `left` bytes belong to the body of a frame that began before. Gives how much of
/// `bytes` was used, and how much of the last body is still to come.
fn move_bodies(bytes: &[u8], out: &mut BytesMut, mut left: usize) -> Result<(usize, usize), Error> {
    let mut used = 0;
    loop {
        let here = left.min(bytes.len() - used);
        out.extend_from_slice(&bytes[used..used + here]);
        used += here;
        left -= here;
        if left > 0 {
            return Ok((used, left));
        }
        match frame::Header::peek(&bytes[used..])? {
            Some(header) if header.tag == COPY_DATA_TAG => {
                used += HEADER_BYTES;
                left = header.body_bytes;
            }
            _ => return Ok((used, 0)),
        }
    }
}

/// Waits until the socket is ready, or for a turn; whether it is, the next try will tell.
async fn wait_for(socket: BorrowedFd<'_>, events: PollFlags) {
    // An error here, such as a signal, is the same as being woken up for nothing.
    if let Ok(0) = poll(
        &mut [PollFd::new(socket, events)],
        PollTimeout::from(TURN_MS),
    ) {
        tokio::task::yield_now().await;
    }
}

/// The socket, if what goes over it is not encrypted.
fn plain_socket(stream: &Stream) -> Option<BorrowedFd<'_>> {
    match stream {
        Stream::Tcp(stream) => Some(stream.as_fd()),
        Stream::Unix(stream) => Some(stream.as_fd()),
        Stream::Tls(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(bodies: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for body in bodies {
            bytes.extend(frame::header(COPY_DATA_TAG, body.len()).expect("short"));
            bytes.extend_from_slice(body);
        }
        bytes
    }

    #[test]
    fn bodies_are_joined_however_the_bytes_arrive() {
        let mut all = frames(&[b"one\n", b"", b"two, longer\n", b"3\n"]);
        all.extend(frame::header(b'c', 0).expect("short"));
        for step in 1..=all.len() {
            let (mut input, mut out) = (BytesMut::new(), BytesMut::new());
            let mut left = 0;
            for piece in all.chunks(step) {
                input.extend_from_slice(piece);
                let moved = move_bodies(&input, &mut out, left).expect("good frames");
                input.advance(moved.0);
                left = moved.1;
            }
            assert_eq!(&out[..], b"one\ntwo, longer\n3\n", "{step} bytes at a time");
            assert_eq!((left, input[0]), (0, b'c'));
        }
    }

    #[test]
    fn a_value_may_be_cut_anywhere_and_a_length_that_cannot_be_is_refused() {
        let value = vec![b'x'; 3 * FRAME_BYTES];
        let bytes = frames(&[&value]);
        let mut out = BytesMut::new();
        let (used, left) = move_bodies(&bytes[..1000], &mut out, 0).expect("a good frame");
        assert_eq!((used, left), (1000, value.len() - (1000 - HEADER_BYTES)));
        assert_eq!(
            move_bodies(&bytes[1000..], &mut out, left)
                .expect("its rest")
                .1,
            0
        );
        assert_eq!(out.len(), value.len());
        assert!(move_bodies(b"d\xff\xff\xff\xff", &mut out, 0).is_err());
    }
}
