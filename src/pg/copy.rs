//! COPY in both directions, by whole buffers instead of rows.

use bytes::{Buf, BytesMut};
use postgres_protocol::message::backend::{
    COMMAND_COMPLETE_TAG, COPY_DATA_TAG, COPY_DONE_TAG, Message,
};
use postgres_protocol::message::frontend;

use super::connection::Connection;
use super::error::Error;
use super::replies::{ResultSet, rows_of_tag};
use super::server_error::server_error;
use crate::wire::frame;

/// A frame's body up to this size is copied behind its header, so that it is one write and one
/// TLS record; larger ones are written from where they are.
const COPIED_BODY_BYTES: usize = 16 * 1024;

impl Connection {
    /// Starts `COPY … TO STDOUT`, which may stand among other statements of `sql`; what it sends is
    /// then read with [`Connection::read_copy_data`], what comes after it with
    /// [`Connection::end_copy_out`]. Answers to statements before it are passed over.
    ///
    /// # Errors
    /// The server's; the connection can be used again.
    pub async fn copy_out(&mut self, sql: &str) -> Result<(), Error> {
        frontend::query(sql, &mut self.link.output)?;
        self.link.flush().await?;
        self.copy_left = 0;
        match self.until_copying().await? {
            Message::CopyOutResponse(_) => Ok(()),
            other => Err(self.not_copying(other).await),
        }
    }

    /// Appends what COPY sends to `into` until it holds `at_least` bytes; rows may be cut anywhere,
    /// so memory is bounded whatever their size.
    ///
    /// True if there may be more; false at the end, in which case `into` may hold the last bytes.
    /// Nothing is allocated by row. Cancel safe: what was read is in `into` or kept for the next
    /// call.
    ///
    /// # Errors
    /// The server's; `into` then holds what came before.
    pub async fn read_copy_data(
        &mut self,
        into: &mut BytesMut,
        at_least: usize,
    ) -> Result<bool, Error> {
        loop {
            let input = &mut self.link.input;
            let here = self.copy_left.min(input.len());
            if here > 0 {
                into.extend_from_slice(&input[..here]);
                input.advance(here);
                self.copy_left -= here;
            }
            if into.len() >= at_least {
                return Ok(true);
            }
            if self.copy_left > 0 {
                self.link.read_more().await?;
                continue;
            }
            match frame::Header::peek(&self.link.input)? {
                None => self.link.read_more().await?,
                Some(header) if header.tag == COPY_DATA_TAG => {
                    self.link.input.advance(frame::HEADER_BYTES);
                    self.copy_left = header.frame_bytes() - frame::HEADER_BYTES;
                }
                Some(_) => {
                    self.link.next_header().await?;
                    match self.link.take_message()? {
                        Some(Message::CopyDone) => return Ok(false),
                        Some(Message::ErrorResponse(body)) => {
                            return Err(self.link.recover(server_error(&body)).await);
                        }
                        None => {}
                        Some(_) => {
                            return Err(Error::Protocol("odd message within COPY".to_owned()));
                        }
                    }
                }
            }
        }
    }

    /// The answers of the COPY itself and of the statements after it, once all data is read. The
    /// connection is then ready for the next query. Not cancel safe.
    ///
    /// # Errors
    /// The server's; the connection can be used again.
    pub async fn end_copy_out(&mut self) -> Result<Vec<ResultSet>, Error> {
        self.results().await
    }

    /// Starts `COPY … FROM STDIN`, the last statement of `sql`; rows are then sent with
    /// [`Connection::write_copy_data`]. Answers to statements before it are passed over.
    ///
    /// # Errors
    /// The server's; the connection can be used again.
    pub async fn copy_in(&mut self, sql: &str) -> Result<(), Error> {
        frontend::query(sql, &mut self.link.output)?;
        self.link.flush().await?;
        match self.until_copying().await? {
            Message::CopyInResponse(_) => Ok(()),
            other => Err(self.not_copying(other).await),
        }
    }

    /// Sends one CopyData frame. Frames need not end where rows do.
    ///
    /// While the server does not take more, its answer is awaited too, so that neither waits for
    /// the other. Not cancel safe: a frame may be cut off.
    ///
    /// # Errors
    /// The server's, as soon as it has sent one: the COPY is then over and the connection ready
    /// for the next query.
    pub async fn write_copy_data(&mut self, body: &[u8]) -> Result<(), Error> {
        let looked = self.link.look().await;
        self.refused_already().await?;
        looked?;
        let header = frame::header(COPY_DATA_TAG, body.len())?;
        self.link.output.extend_from_slice(&header);
        if body.len() <= COPIED_BODY_BYTES || self.is_encrypted() {
            self.link.output.extend_from_slice(body);
            self.link.send_and_listen(&[]).await?;
        } else {
            self.link.send_and_listen(body).await?;
        }
        self.refused_already().await
    }

    /// Ends the COPY and commits it with its transaction; the number of rows. Not cancel safe.
    ///
    /// # Errors
    /// The server's, also for rows sent before; the connection can be used again.
    pub async fn finish_copy(&mut self) -> Result<u64, Error> {
        frontend::copy_done(&mut self.link.output);
        self.link.send_and_listen(&[]).await?;
        let mut rows = 0;
        loop {
            match self.link.next().await? {
                Message::CommandComplete(body) => rows = rows_of_tag(body.tag()?),
                Message::ReadyForQuery(_) => return Ok(rows),
                Message::ErrorResponse(body) => {
                    return Err(self.link.recover(server_error(&body)).await);
                }
                _ => return Err(Error::Protocol("odd message at the end of COPY".to_owned())),
            }
        }
    }

    /// Gives the COPY up: the server keeps none of its rows and shows `why` in its log. Not cancel
    /// safe.
    ///
    /// # Errors
    /// Only for what was not expected: the server's report of the failure is.
    pub async fn fail_copy(&mut self, why: &str) -> Result<(), Error> {
        frontend::copy_fail(why, &mut self.link.output)?;
        self.link.send_and_listen(&[]).await?;
        loop {
            match self.link.next().await? {
                Message::ReadyForQuery(_) => return Ok(()),
                Message::ErrorResponse(body) => {
                    let error = server_error(&body);
                    // 57014, query_canceled, is how the server answers CopyFail.
                    if error.sqlstate != "57014" {
                        return Err(self.link.recover(error).await);
                    }
                }
                _ => {
                    return Err(Error::Protocol(
                        "odd message after a failed COPY".to_owned(),
                    ));
                }
            }
        }
    }

    /// The error that the server has sent instead of waiting for more rows, if it has.
    async fn refused_already(&mut self) -> Result<(), Error> {
        while let Some(header) = self.link.whole_frame()? {
            if matches!(
                header.tag,
                COPY_DATA_TAG | COPY_DONE_TAG | COMMAND_COMPLETE_TAG
            ) {
                return Err(Error::Protocol("odd message within COPY".to_owned()));
            }
            if let Some(Message::ErrorResponse(body)) = self.link.take_message()? {
                return Err(self.link.recover(server_error(&body)).await);
            }
        }
        Ok(())
    }

    /// The first message that tells whether copying begins.
    async fn until_copying(&mut self) -> Result<Message, Error> {
        loop {
            match self.link.next().await? {
                Message::CommandComplete(_)
                | Message::RowDescription(_)
                | Message::DataRow(_)
                | Message::EmptyQueryResponse => {}
                other => return Ok(other),
            }
        }
    }

    /// Why a statement did not start to copy.
    pub(super) async fn not_copying(&mut self, instead: Message) -> Error {
        match instead {
            Message::ErrorResponse(body) => self.link.recover(server_error(&body)).await,
            _ => Error::Protocol("the statement did not start a COPY".to_owned()),
        }
    }
}
