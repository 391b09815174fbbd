//! COPY BOTH: the stream of a walsender, and our status updates to it.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use postgres_protocol::message::backend::{
    COMMAND_COMPLETE_TAG, COPY_DATA_TAG, COPY_DONE_TAG, ERROR_RESPONSE_TAG, Message,
    NOTICE_RESPONSE_TAG,
};
use postgres_protocol::message::frontend;

use super::connection::Connection;
use super::error::Error;
use super::server_error::{ServerError, server_error};
use crate::wire::frame;
use crate::wire::replication::NOTICE;

/// How long a walsender may take to end: it first sends what it has already decoded.
const END_LIMIT: Duration = Duration::from_secs(5);

impl Connection {
    /// Runs `START_REPLICATION …`; messages are then read with [`Connection::read_copy_message`].
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

    /// The body of the next CopyData, or the text of a notice behind [`NOTICE`]; none when the
    /// server has ended the stream (CopyDone, or CommandComplete at its shutdown). Cancel safe: what
    /// was read is kept.
    ///
    /// # Errors
    /// The server's, or the connection is lost.
    pub async fn read_copy_message(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let header = self.link.next_header().await?;
            match header.tag {
                COPY_DATA_TAG => return Ok(Some(frame::take_body(&mut self.link.input, header))),
                // Left in the buffer, so that asking again gives the same answer.
                COPY_DONE_TAG | COMMAND_COMPLETE_TAG => return Ok(None),
                NOTICE_RESPONSE_TAG => return Ok(Some(self.take_notice()?)),
                _ => self.take_side_message()?,
            }
        }
    }

    /// As [`Connection::read_copy_message`] without I/O: none if no whole message is there yet, or
    /// the stream has ended.
    pub fn buffered_copy_message(&mut self) -> Result<Option<Bytes>, Error> {
        while let Some(header) = self.link.whole_frame()? {
            match header.tag {
                COPY_DATA_TAG => return Ok(Some(frame::take_body(&mut self.link.input, header))),
                // An error is left for the call that reads.
                COPY_DONE_TAG | COMMAND_COMPLETE_TAG | ERROR_RESPONSE_TAG => return Ok(None),
                NOTICE_RESPONSE_TAG => return Ok(Some(self.take_notice()?)),
                _ => self.take_side_message()?,
            }
        }
        Ok(None)
    }

    /// A notice within the stream, in its place: output plugins say there what they do not send.
    fn take_notice(&mut self) -> Result<Bytes, Error> {
        let Some(Message::NoticeResponse(body)) = Message::parse(&mut self.link.input)? else {
            return Err(Error::Protocol("a notice that is none".to_owned()));
        };
        let mut text = vec![NOTICE];
        text.extend(ServerError::of_notice(&body).message.bytes());
        Ok(text.into())
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
