//! What can go wrong between a client and a server.

use std::error::Error as _;
use std::io;

use super::address::AddressError;
use super::hint;
use super::server_error::ServerError;
use crate::base::Remedy;

/// An error of being a PostgreSQL client.
///
/// No text of it holds a password. The cause, where there is one, is the source and not repeated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection string, a `PG*` variable or a service file is wrong.
    #[error(transparent)]
    Address(#[from] AddressError),

    /// No connection could be made: name not found, nobody listening, timeout, firewall.
    #[error("could not connect to {address}")]
    Refused {
        /// Host and port, or socket.
        address: String,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },

    /// The server was reached but an encrypted connection was not possible as asked for.
    #[error("no TLS connection to {address}: {problem}")]
    Tls {
        /// Host and port.
        address: String,
        /// What was wrong: certificate, name, protocol version, key file.
        problem: String,
    },

    /// The login failed for a reason found on our side: no password, method not allowed, a
    /// server that does not know the password it verifies.
    #[error("could not log in to {address}: {problem}")]
    Auth {
        /// Host and port, or socket.
        address: String,
        /// What was wrong.
        problem: String,
    },

    /// A server was reached, but it is not in the role that `target_session_attrs` asks for.
    #[error("{address} does not fit target_session_attrs={wanted}")]
    WrongRole {
        /// Host and port, or socket.
        address: String,
        /// The value of `target_session_attrs`.
        wanted: &'static str,
    },

    /// The server refused or gave up; boxed because it is large and rare.
    #[error("{0}")]
    Server(Box<ServerError>),

    /// The connection ended in the middle.
    #[error("connection to the server was lost")]
    Lost(#[source] Option<io::Error>),

    /// What stands there may be somebody else's, who could steer us by it.
    #[error("the schema pgflit is not pgflit's own: {0}")]
    Untrusted(String),

    /// The server sent something that protocol 3 does not allow here.
    #[error("unexpected answer from the server: {0}")]
    Protocol(String),

    /// Anything else that tokio-postgres says: a value of another type than expected, no row.
    #[error(transparent)]
    Sql(tokio_postgres::Error),
}

impl Error {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            Error::Address(_) => Remedy::FixArguments,
            Error::Refused { .. } | Error::Lost(_) | Error::WrongRole { .. } => Remedy::Retry,
            Error::Server(error) if is_transient(&error.sqlstate) => Remedy::Retry,
            Error::Tls { .. } | Error::Auth { .. } | Error::Server(_) => Remedy::AskOperator,
            Error::Untrusted(_) | Error::Protocol(_) | Error::Sql(_) => Remedy::AskOperator,
        }
    }

    /// The server's five-character code, if the server said anything.
    pub fn sqlstate(&self) -> Option<&str> {
        match self {
            Error::Server(error) => Some(&error.sqlstate),
            _ => None,
        }
    }

    /// Whether the server does not know the snapshot that was to be imported: the session that held
    /// it has ended, as all do when a server restarts.
    pub fn is_lost_snapshot(&self) -> bool {
        matches!(self, Error::Server(error)
            if error.message.contains("snapshot")
                && ["22023", "42704", "55000"].contains(&error.sqlstate.as_str()))
    }

    /// What the operator can do, as a sentence; none if the text of the error says it all.
    pub fn hint(&self) -> Option<String> {
        hint::of(self)
    }

    /// A connection that ended without a last word.
    pub(crate) fn closed() -> Self {
        Error::Lost(None)
    }
}

/// Whether the same thing may work a moment later: a connection's end (08), a restart or shutdown
/// (57P01 to 57P03), a conflict with another transaction, or too many clients.
fn is_transient(sqlstate: &str) -> bool {
    sqlstate.starts_with("08")
        || matches!(
            sqlstate,
            "57P01" | "57P02" | "57P03" | "40001" | "40P01" | "53300"
                // A slot or origin whose last session has not noticed yet that its client is gone.
                | "55006"
                | "55P03"
        )
}

impl From<ServerError> for Error {
    fn from(error: ServerError) -> Self {
        Error::Server(Box::new(error))
    }
}

/// Errors of an established connection: all of them end it.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Error::Lost(None),
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                Error::Protocol(error.to_string())
            }
            _ => Error::Lost(Some(error)),
        }
    }
}

impl From<crate::wire::WireError> for Error {
    fn from(error: crate::wire::WireError) -> Self {
        Error::Protocol(error.to_string())
    }
}

/// tokio-postgres prints every error of the server as "db error"; its fields are taken out here.
impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(answer) = error.as_db_error() {
            return ServerError::from(answer).into();
        }
        if error.is_closed() {
            return Error::closed();
        }
        let io = error
            .source()
            .and_then(|cause| cause.downcast_ref::<io::Error>());
        match io.map(io::Error::kind) {
            Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) | None => {
                Error::Sql(error)
            }
            Some(kind) => Error::Lost(Some(kind.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused_with(sqlstate: &str) -> Error {
        let error = ServerError {
            severity: "FATAL".into(),
            sqlstate: sqlstate.into(),
            message: "no".into(),
            ..ServerError::default()
        };
        error.into()
    }

    #[test]
    fn only_what_may_pass_by_itself_is_retried() {
        for sqlstate in ["57P01", "57P03", "08006", "40001", "40P01", "53300"] {
            assert_eq!(refused_with(sqlstate).remedy(), Remedy::Retry, "{sqlstate}");
        }
        for sqlstate in ["28P01", "3D000", "23505", "42501"] {
            assert_eq!(
                refused_with(sqlstate).remedy(),
                Remedy::AskOperator,
                "{sqlstate}"
            );
        }
        assert_eq!(Error::closed().remedy(), Remedy::Retry);
    }

    #[test]
    fn the_text_leads_with_what_the_server_said() {
        assert_eq!(refused_with("28P01").to_string(), "no (SQLSTATE 28P01)");
    }
}
