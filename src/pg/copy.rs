//! How a COPY begins and ends, in both directions. What is between is [`super::pump`]'s.

use postgres_protocol::message::backend::{
    COMMAND_COMPLETE_TAG, COPY_DATA_TAG, COPY_DONE_TAG, Message,
};
use postgres_protocol::message::frontend;

use super::connection::Connection;
use super::error::Error;
use super::replies::{ResultSet, rows_of_tag};
use super::server_error::server_error;

impl Connection {
    /// Starts `COPY … TO STDOUT`, which may stand among other statements of `sql`; what it sends is
    /// then passed on by [`super::pump`], what comes after it read with
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

    /// The answers of the COPY itself and of the statements after it, once all data is read. The
    /// connection is then ready for the next query. Not cancel safe.
    ///
    /// # Errors
    /// The server's; the connection can be used again.
    pub async fn end_copy_out(&mut self) -> Result<Vec<ResultSet>, Error> {
        self.results().await
    }

    /// Starts `COPY … FROM STDIN`, the last statement of `sql`; rows are then sent by
    /// [`super::pump`]. Answers to statements before it are passed over.
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
    pub(super) async fn refused_already(&mut self) -> Result<(), Error> {
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
