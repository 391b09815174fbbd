//! COPY BOTH: the stream of a walsender, and our status updates to it.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use postgres_protocol::message::backend::{
    COMMAND_COMPLETE_TAG, COPY_DATA_TAG, COPY_DONE_TAG, Message, NOTICE_RESPONSE_TAG,
};
use postgres_protocol::message::frontend;

use super::connection::Connection;
use super::error::Error;
use super::server_error::{ServerError, server_error};
use crate::wire::frame;
use crate::wire::replication::wants_reply;

/// How long a walsender may take to end: it first sends what it has already decoded.
const END_LIMIT: Duration = Duration::from_secs(5);

/// Messages of a stream as they came, all of them whole.
#[derive(Debug)]
pub struct CopyMessages(Bytes);

/// One of them.
#[derive(Debug, PartialEq, Eq)]
pub enum CopyMessage<'a> {
    /// The body of a CopyData.
    Data(&'a [u8]),
    /// The text of a notice, in its place: output plugins say there what they do not send.
    Notice(String),
}

impl CopyMessages {
    /// What they take.
    pub fn byte_count(&self) -> usize {
        self.0.len()
    }

    /// Each of them, in order.
    ///
    /// # Errors
    /// A notice that cannot be read.
    pub fn iter(&self) -> impl Iterator<Item = Result<CopyMessage<'_>, Error>> {
        frame::frames(&self.0).map(|(tag, frame)| match tag {
            NOTICE_RESPONSE_TAG => notice(frame).map(CopyMessage::Notice),
            _ => Ok(CopyMessage::Data(&frame[frame::HEADER_BYTES..])),
        })
    }

    /// Whether one of them is a keepalive that wants an answer at once.
    pub fn want_reply(&self) -> bool {
        frame::frames(&self.0).any(|(_, frame)| wants_reply(&frame[frame::HEADER_BYTES..]))
    }
}

fn notice(frame: &[u8]) -> Result<String, Error> {
    match Message::parse(&mut BytesMut::from(frame))? {
        Some(Message::NoticeResponse(body)) => Ok(ServerError::of_notice(&body).message),
        _ => Err(Error::Protocol("a notice that is none".to_owned())),
    }
}

impl Connection {
    /// Runs `START_REPLICATION …`; messages are then read with [`Connection::read_copy_messages`].
    ///
    /// # Errors
    /// The server's, such as 55006 for a slot that is in use; the connection can be used again.
    pub async fn start_replication(&mut self, sql: &str) -> Result<(), Error> {
        frontend::query(sql, &mut self.link.output)?;
        self.link.flush().await?;
        loop {
            let header = self.link.next_header().await?;
            if header.tag == frame::COPY_BOTH_RESPONSE_TAG {
                frame::take_body(&mut self.link.input, header);
                return Ok(());
            }
            if let Some(message) = self.link.take_message()? {
                return Err(self.not_copying(message).await);
            }
        }
    }

    /// The next messages, at least one: all that are there, and no more once there are `enough`
    /// bytes. None when the server has ended the stream (CopyDone, or CommandComplete at its
    /// shutdown). Cancel safe: what was read is kept.
    ///
    /// # Errors
    /// The server's, or the connection is lost.
    pub async fn read_copy_messages(
        &mut self,
        enough: usize,
    ) -> Result<Option<CopyMessages>, Error> {
        loop {
            let header = self.link.next_header().await?;
            match header.tag {
                COPY_DATA_TAG | NOTICE_RESPONSE_TAG => {
                    let is_message = |tag| matches!(tag, COPY_DATA_TAG | NOTICE_RESPONSE_TAG);
                    let run = frame::run_bytes(&self.link.input, is_message, enough.max(1))?;
                    return Ok(Some(CopyMessages(self.link.input.split_to(run).freeze())));
                }
                // Left in the buffer, so that asking again gives the same answer.
                COPY_DONE_TAG | COMMAND_COMPLETE_TAG => return Ok(None),
                _ => self.take_side_message()?,
            }
        }
    }

    /// A parameter or the like within the stream; an error ends it.
    fn take_side_message(&mut self) -> Result<(), Error> {
        match self.link.take_message()? {
            None => Ok(()),
            Some(Message::ErrorResponse(body)) => Err(server_error(&body).into()),
            Some(_) => Err(Error::Protocol("odd message within replication".to_owned())),
        }
    }

    /// Sends one CopyData, at once. Cancel safe: what is left goes with the next message.
    pub async fn send_copy_message(&mut self, body: &[u8]) -> Result<(), Error> {
        let header = frame::header(COPY_DATA_TAG, body.len())?;
        self.link.output.extend_from_slice(&header);
        self.link.output.extend_from_slice(body);
        self.link.send_and_listen(&[]).await
    }

    /// Ends the stream from our side; what the server still sends is dropped. It will be sent
    /// again from the last flushed position. The connection is then ready for the next query, but
    /// not for another stream: a walsender (seen with 15) ends a second one at once.
    ///
    /// # Errors
    /// The server's, or [`Error::Lost`] if it does not end within a few seconds; the connection is
    /// then to be closed.
    pub async fn end_replication(&mut self) -> Result<(), Error> {
        frontend::copy_done(&mut self.link.output);
        let end = async {
            self.link.send_and_listen(&[]).await?;
            loop {
                match self.link.next().await? {
                    Message::ReadyForQuery(_) => return Ok(()),
                    Message::ErrorResponse(body) => {
                        return Err(self.link.recover(server_error(&body)).await);
                    }
                    Message::CopyData(_) | Message::CopyDone | Message::CommandComplete(_) => {}
                    _ => return Err(Error::Protocol("odd message within replication".to_owned())),
                }
            }
        };
        match tokio::time::timeout(END_LIMIT, end).await {
            Ok(ended) => ended,
            Err(_) => {
                let text = "the server did not end the stream in time";
                Err(Error::Lost(Some(io::Error::new(
                    io::ErrorKind::TimedOut,
                    text,
                ))))
            }
        }
    }
}
