//! The two directions of a connection at the same time, for pipelines.

use std::collections::HashMap;

use bytes::BytesMut;
use postgres_protocol::message::backend::Message;
use tokio::io::{ReadHalf, WriteHalf};

use super::connect::Stream;
use super::error::Error;
use super::link::{self, Link};

/// What the server answers.
#[derive(Debug)]
pub struct FrameReader<'a> {
    stream: ReadHalf<&'a mut Stream>,
    input: &'a mut BytesMut,
    parameters: &'a mut HashMap<String, String>,
}

/// What is asked of the server.
#[derive(Debug)]
pub struct FrameWriter<'a> {
    stream: WriteHalf<&'a mut Stream>,
    output: &'a mut BytesMut,
}

pub(super) fn split(link: &mut Link) -> (FrameReader<'_>, FrameWriter<'_>) {
    let (read, write) = tokio::io::split(&mut link.stream);
    let reader = FrameReader {
        stream: read,
        input: &mut link.input,
        parameters: &mut link.parameters,
    };
    let writer = FrameWriter {
        stream: write,
        output: &mut link.output,
    };
    (reader, writer)
}

impl FrameReader<'_> {
    /// The next message; notices, parameters and notifications are handled inside. Cancel safe.
    ///
    /// An ErrorResponse is returned as a message: [`super::server_error()`] reads it. In a pipeline
    /// the caller knows which request it answers.
    ///
    /// # Errors
    /// The connection is lost, or what came is not protocol 3.
    pub async fn next(&mut self) -> Result<Message, Error> {
        link::next_message(&mut self.stream, self.input, self.parameters).await
    }
}

impl FrameWriter<'_> {
    /// Where requests are appended, with postgres-protocol's `message::frontend`.
    pub fn buffer(&mut self) -> &mut BytesMut {
        self.output
    }

    /// Sends all that was appended. Cancel safe: what is left goes with the next flush.
    ///
    /// Waits while the server does not read, so the answers must be read at the same time.
    ///
    /// # Errors
    /// The connection is lost; the server's reason, if it gave one, is for the reader.
    pub async fn flush(&mut self) -> Result<(), Error> {
        Ok(link::flush(&mut self.stream, self.output).await?)
    }
}
