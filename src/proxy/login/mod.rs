//! From a startup message to a session that is ready for its first query.
//!
//! - [`client`]: the proxy finds out who the client is, as it is configured to;
//! - [`own`]: and then logs in to the server itself, with what the client has shown;
//! - [`passthrough`]: or the server authenticates the client, and the proxy carries their words.

pub mod client;
pub mod own;
pub mod passthrough;
pub mod sasl;

use bytes::Bytes;

use super::auth::Credential;
use super::channel::ChannelError;
use super::notice::Refusal;
use crate::wire::startup::CancelKey;

/// Who has found out who a client is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authentication {
    /// Nobody yet: the server will. Works for trust, passwords, md5, and SCRAM without channel
    /// binding; what the server knows of the network is the proxy's address and encryption, not
    /// the client's.
    Passthrough,
    /// The proxy; this opens the server.
    Shown(Credential),
}

/// A session that is ready.
#[derive(Debug)]
pub struct LoggedIn {
    /// The server's own key; none if it gave none.
    pub server_key: Option<CancelKey>,
    /// Whether the server has asked for a proof: without one, anybody may log in so.
    pub was_asked: bool,
    /// What the server has sent since: it goes to the client first.
    pub from_server: Bytes,
}

/// Why a login came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The client went away or spoke nonsense.
    #[error("the client")]
    Client(#[source] ChannelError),
    /// The server went away or spoke nonsense.
    #[error("the server")]
    Server(#[source] ChannelError),
    /// The server is starting up, shutting down or recovering (57P03): it may soon be ready. Its
    /// message, which the client has not seen.
    #[error("the server takes no connections now")]
    NotNow(Bytes),
    /// The server refused, and the client has its message.
    #[error("the server refused")]
    RefusedByServer {
        /// It does not believe that the client is who it says: class 28.
        is_of_proof: bool,
    },
    /// The proxy refuses; the client has not been told.
    #[error("{}", .0.message)]
    Refused(Refusal),
}
