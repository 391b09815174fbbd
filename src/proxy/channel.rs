//! One side of a connection before the relay begins: a stream and what was read ahead of it.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::pg::connect::Stream;
use crate::wire::WireError;
use crate::wire::frame::{self, Header};

/// Room for one read: messages before the first query are short.
const READ_BYTES: usize = 1024;

/// A stream with what was read ahead.
#[derive(Debug)]
pub struct Channel {
    /// The stream.
    pub stream: Stream,
    /// What was read and not taken.
    pub input: BytesMut,
}

/// Why a side is of no more use.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// It closed, or its network failed.
    #[error("the connection was closed")]
    Closed(#[source] Option<io::Error>),
    /// It sent what the protocol does not allow.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A message that is longer than anything that is said at this point.
    #[error("a message '{}' of {bytes} bytes is too long here", .tag.escape_ascii())]
    TooLong {
        /// Its type.
        tag: u8,
        /// Its length.
        bytes: usize,
    },
}

impl From<io::Error> for ChannelError {
    fn from(error: io::Error) -> Self {
        ChannelError::Closed(Some(error))
    }
}

impl Channel {
    /// With nothing read ahead.
    pub fn new(stream: Stream) -> Self {
        Channel {
            stream,
            input: BytesMut::new(),
        }
    }

    /// Reads once, whatever comes. Cancel safe.
    pub async fn read_more(&mut self) -> Result<(), ChannelError> {
        self.input.reserve(READ_BYTES);
        match self.stream.read_buf(&mut self.input).await? {
            0 => Err(ChannelError::Closed(None)),
            _ => Ok(()),
        }
    }

    /// Reads until `input` begins with a whole message of at most `limit` bytes. Cancel safe.
    pub async fn next_header(&mut self, limit: usize) -> Result<Header, ChannelError> {
        loop {
            if let Some(header) = Header::peek(&self.input)? {
                if header.frame_bytes() > limit {
                    return Err(ChannelError::TooLong {
                        tag: header.tag,
                        bytes: header.frame_bytes(),
                    });
                }
                if self.has_whole_message() {
                    return Ok(header);
                }
            }
            self.read_more().await?;
        }
    }

    /// Whether `input` begins with a whole message.
    pub fn has_whole_message(&self) -> bool {
        frame::missing_bytes(&self.input) == Ok(0)
    }

    /// Takes the message that `input` begins with as it is.
    pub fn take(&mut self, header: Header) -> Bytes {
        let bytes = header.frame_bytes().min(self.input.len());
        self.input.split_to(bytes).freeze()
    }

    /// Drops what `input` begins with.
    pub fn skip(&mut self, bytes: usize) {
        self.input.advance(bytes.min(self.input.len()));
    }

    /// Sends all of `bytes`. Not cancel safe: nobody knows how much of it is sent.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), ChannelError> {
        self.stream.write_all(bytes).await?;
        Ok(self.stream.flush().await?)
    }
}
