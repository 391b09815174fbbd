//! A session for catalog queries and DDL, over tokio-postgres.

use std::future::{Ready, poll_fn, ready};
use std::io;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio_postgres::config::{ChannelBinding, SslMode, SslNegotiation};
use tokio_postgres::tls::{ChannelBinding as Binding, TlsConnect, TlsStream};
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Config, Row};

use super::address::{Address, ChannelBindingMode, Host};
use super::auth_watch::AuthWatch;
use super::connect::{self, Login, ServerRole, Stream, walk::ROLE_QUERY};
use super::error::Error;
use super::pinned;
use super::version::ServerVersion;

/// A logged-in session with pinned settings. Its socket is served by a task of the runtime it was
/// opened on, until the session is dropped.
#[derive(Debug)]
pub struct Session {
    client: Client,
    version: ServerVersion,
}

impl Session {
    /// Connects to the first server of `address` that fits, and pins the settings.
    ///
    /// `purpose` is shown in `pg_stat_activity` as `pgflit: <purpose>`.
    ///
    /// # Errors
    /// Says which server was not reached or refused, and why.
    pub async fn connect(address: &Address, purpose: &str) -> Result<Session, Error> {
        Self::connect_for(address, purpose, None).await
    }

    /// As [`Session::connect`], and wakes `woken` for every notification that comes after LISTEN. What
    /// they say is not kept: anybody in the database can send one.
    ///
    /// # Errors
    /// As [`Session::connect`].
    pub async fn connect_listening(
        address: &Address,
        purpose: &str,
        woken: Arc<Notify>,
    ) -> Result<Session, Error> {
        Self::connect_for(address, purpose, Some(woken)).await
    }

    async fn connect_for(
        address: &Address,
        purpose: &str,
        woken: Option<Arc<Notify>>,
    ) -> Result<Session, Error> {
        let login = SessionLogin {
            address,
            application: pinned::application_name(address.application_name(), purpose),
            woken,
        };
        let session = connect::open(address, &login).await?;
        let mut attempt = 1;
        while let Err(error) = session.batch(&pinned::batch()).await {
            if !pinned::is_to_be_sent_again(&error, attempt) {
                return Err(error);
            }
            attempt += 1;
        }
        Ok(session)
    }

    /// Prepares and runs one statement; its rows.
    pub async fn query(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        Ok(self.client.query(sql, params).await?)
    }

    /// As [`Session::query`], for exactly one row: none or several are an error.
    pub async fn query_one(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Row, Error> {
        Ok(self.client.query_one(sql, params).await?)
    }

    /// As [`Session::query`], for at most one row.
    pub async fn query_opt(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, Error> {
        Ok(self.client.query_opt(sql, params).await?)
    }

    /// Runs one statement; how many rows it changed.
    pub async fn execute(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<u64, Error> {
        Ok(self.client.execute(sql, params).await?)
    }

    /// Runs any number of statements by the simple protocol; they are one transaction unless they
    /// say otherwise.
    pub async fn batch(&self, sql: &str) -> Result<(), Error> {
        Ok(self.client.batch_execute(sql).await?)
    }

    /// The server's version.
    pub fn server_version(&self) -> ServerVersion {
        self.version
    }

    /// tokio-postgres's own client, for what is not wrapped here.
    pub fn client(&self) -> &Client {
        &self.client
    }
}

struct SessionLogin<'a> {
    address: &'a Address,
    application: String,
    woken: Option<Arc<Notify>>,
}

impl SessionLogin<'_> {
    fn config(&self, host: &Host) -> Config {
        let mut config = Config::new();
        config
            .user(self.address.user())
            .dbname(self.address.dbname())
            .application_name(&self.application)
            .channel_binding(match self.address.channel_binding() {
                ChannelBindingMode::Disable => ChannelBinding::Disable,
                ChannelBindingMode::Prefer => ChannelBinding::Prefer,
                ChannelBindingMode::Require => ChannelBinding::Require,
            })
            // The stream is as encrypted as it will be: these two make the library hand it to
            // `Established` before it says anything, instead of asking for TLS itself.
            .ssl_mode(SslMode::Require)
            .ssl_negotiation(SslNegotiation::Direct);
        if let Some(options) = self.address.setting("options") {
            config.options(options);
        }
        if let Some(password) = &host.password {
            config.password(password.expose());
        }
        config
    }
}

impl Login for SessionLogin<'_> {
    type Opened = Session;

    async fn log_in(&self, stream: Stream, host: &Host) -> Result<Session, Error> {
        let watched = AuthWatch::new(stream, self.address.allowed_methods().clone());
        let connecting = self.config(host).connect_raw(watched, Established).await;
        let (client, mut connection) = connecting.map_err(|error| login_error(error, host))?;
        let version = connection.parameter("server_version").unwrap_or_default();
        let version = version
            .parse()
            .map_err(|error: super::version::VersionParseError| {
                Error::Protocol(error.to_string())
            })?;
        let woken = self.woken.clone();
        tokio::spawn(async move {
            while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
                match message {
                    Ok(AsyncMessage::Notice(notice)) => tracing::debug!("server: {notice}"),
                    Ok(_) => {
                        if let Some(woken) = &woken {
                            woken.notify_one();
                        }
                    }
                    // Whoever waits for an answer is told; nobody else needs to know.
                    Err(error) => return tracing::debug!("session ended: {}", Error::from(error)),
                }
            }
        });
        Ok(Session { client, version })
    }

    async fn role(&self, session: &mut Session) -> Result<ServerRole, Error> {
        let row = session.query_one(ROLE_QUERY, &[]).await?;
        Ok(ServerRole::of_columns(row.get(0), row.get(1)))
    }
}

/// What is found wrong on our side during login: about passwords and methods.
fn login_error(error: tokio_postgres::Error, host: &Host) -> Error {
    let cause = std::error::Error::source(&error);
    let refused_by_us = cause
        .and_then(|cause| cause.downcast_ref::<io::Error>())
        .is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied);
    let problem = cause.map(ToString::to_string);
    match Error::from(error) {
        Error::Sql(error) => Error::Auth {
            address: host.to_string(),
            problem: problem.unwrap_or_else(|| error.to_string()),
        },
        Error::Lost(_) if refused_by_us => Error::Auth {
            address: host.to_string(),
            problem: problem.unwrap_or_default(),
        },
        other => other,
    }
}

/// Gives tokio-postgres the stream that is already secured.
struct Established;

impl TlsConnect<AuthWatch> for Established {
    type Stream = AuthWatch;
    type Error = io::Error;
    type Future = Ready<Result<AuthWatch, io::Error>>;

    fn connect(self, stream: AuthWatch) -> Self::Future {
        ready(Ok(stream))
    }
}

impl TlsStream for AuthWatch {
    fn channel_binding(&self) -> Binding {
        match self.stream.channel_binding() {
            Some(hash) => Binding::tls_server_end_point(hash),
            None => Binding::none(),
        }
    }
}
