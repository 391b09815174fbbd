//! Our own connection to a server, for what tokio-postgres cannot do: replication, COPY without
//! a message a row, pipelines.

use std::time::Duration;

use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;
use tokio::io::AsyncWriteExt;

use super::address::{Address, Host};
use super::connect::{self, Login, ServerRole, Stream, walk::ROLE_QUERY};
use super::error::Error;
use super::link::Link;
use super::login::Handshake;
use super::pinned;
use super::replies::ResultSet;
use super::server_error::server_error;
use super::split::{FrameReader, FrameWriter};
use super::version::ServerVersion;

/// How long a goodbye may take; without it the server notices the closed socket.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// What a connection is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// An ordinary backend.
    Sql,
    /// A logical walsender (`replication=database`), which takes SQL too.
    Replication,
}

/// A logged-in connection that nobody else uses.
///
/// After an [`Error::Server`] it is ready for the next query, unless the server closed it; after
/// any other error it is of no more use.
#[derive(Debug)]
pub struct Connection {
    pub(super) link: Link,
    /// How much of the body of a CopyData frame is still to come.
    pub(super) copy_left: usize,
    version: ServerVersion,
}

impl Connection {
    /// Connects to the first server of `address` that fits, and pins the settings.
    ///
    /// `purpose` is shown in `pg_stat_activity` as `pgflit: <purpose>`.
    ///
    /// # Errors
    /// Says which server was not reached or refused, and why.
    pub async fn open(address: &Address, mode: Mode, purpose: &str) -> Result<Connection, Error> {
        let login = RawLogin {
            address,
            mode,
            application: pinned::application_name(address.application_name(), purpose),
        };
        let mut connection = connect::open(address, &login).await?;
        let mut attempt = 1;
        while let Err(error) = connection.query(&pinned::batch()).await {
            if !pinned::is_to_be_sent_again(&error, attempt) {
                return Err(error);
            }
            attempt += 1;
        }
        Ok(connection)
    }

    /// What the server last reported of a run-time parameter, such as `server_encoding`.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.link.parameters.get(name).map(String::as_str)
    }

    /// The server's version.
    pub fn server_version(&self) -> ServerVersion {
        self.version
    }

    /// Whether what is sent is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.link.stream.is_encrypted()
    }

    /// Runs `sql` by the simple protocol; one [`ResultSet`] a statement.
    ///
    /// Not cancel safe: the rest of an answer would be taken for the next one's.
    ///
    /// # Errors
    /// The first that the server reports, after reading to the end of its answer.
    pub async fn query(&mut self, sql: &str) -> Result<Vec<ResultSet>, Error> {
        frontend::query(sql, &mut self.link.output)?;
        self.link.flush().await?;
        self.results().await
    }

    /// Reads the answers up to ReadyForQuery.
    pub(super) async fn results(&mut self) -> Result<Vec<ResultSet>, Error> {
        let mut results = Vec::new();
        let mut current = ResultSet::default();
        loop {
            match self.link.next().await? {
                Message::RowDescription(body) => current = ResultSet::of_columns(&body)?,
                Message::DataRow(body) => current.push_row(&body)?,
                Message::CommandComplete(body) => {
                    current.tag = body.tag()?.to_owned();
                    results.push(std::mem::take(&mut current));
                }
                Message::EmptyQueryResponse => results.push(ResultSet::default()),
                Message::ReadyForQuery(_) => return Ok(results),
                Message::ErrorResponse(body) => {
                    return Err(self.link.recover(server_error(&body)).await);
                }
                Message::CopyInResponse(_) => {
                    // The server then reports an error, which ends the loop.
                    frontend::copy_fail("COPY FROM STDIN within a query", &mut self.link.output)?;
                    self.link.flush().await?;
                }
                Message::CopyOutResponse(_) | Message::CopyData(_) | Message::CopyDone => {}
                _ => return Err(Error::Protocol("odd message within an answer".to_owned())),
            }
        }
    }

    /// Both directions, to be used at the same time: requests are appended and flushed on one side
    /// while answers are read on the other. What was read ahead stays with the connection.
    pub fn split(&mut self) -> (FrameReader<'_>, FrameWriter<'_>) {
        super::split::split(&mut self.link)
    }

    /// Says goodbye and closes. Errors do not matter any more.
    pub async fn close(mut self) {
        frontend::terminate(&mut self.link.output);
        let goodbye = async {
            if self.link.flush().await.is_ok() {
                let _ = self.link.stream.shutdown().await;
            }
        };
        let _ = tokio::time::timeout(CLOSE_LIMIT, goodbye).await;
    }
}

/// Startup and authentication on a fresh stream.
struct RawLogin<'a> {
    address: &'a Address,
    mode: Mode,
    application: String,
}

impl RawLogin<'_> {
    fn startup_parameters(&self) -> Vec<(&str, &str)> {
        let mut parameters = vec![
            ("user", self.address.user()),
            ("database", self.address.dbname()),
            ("application_name", &self.application),
        ];
        if let Some(options) = self.address.setting("options") {
            parameters.push(("options", options));
        }
        if self.mode == Mode::Replication {
            parameters.push(("replication", "database"));
        }
        let pinned = pinned::pinned_settings().iter();
        let pinned = pinned.filter(|setting| setting.at_startup);
        parameters.extend(pinned.map(|setting| (setting.name, setting.value)));
        parameters
    }
}

impl Login for RawLogin<'_> {
    type Opened = Connection;

    async fn log_in(&self, stream: Stream, host: &Host) -> Result<Connection, Error> {
        let mut link = Link::new(stream);
        let handshake = Handshake {
            link: &mut link,
            host,
            address: self.address,
        };
        handshake.run(&self.startup_parameters()).await?;
        let reported = link.parameters.get("server_version");
        let version = reported.map(String::as_str).unwrap_or_default().parse();
        Ok(Connection {
            link,
            copy_left: 0,
            version: version.map_err(|error: super::version::VersionParseError| {
                Error::Protocol(error.to_string())
            })?,
        })
    }

    async fn role(&self, connection: &mut Connection) -> Result<ServerRole, Error> {
        let results = connection.query(ROLE_QUERY).await?;
        let row = results.first().and_then(|result| result.rows.first());
        match row.map(Vec::as_slice) {
            Some([Some(recovery), Some(read_only)]) => {
                Ok(ServerRole::of_columns(recovery, read_only))
            }
            _ => Err(Error::Protocol(
                "no answer about the server's role".to_owned(),
            )),
        }
    }
}
