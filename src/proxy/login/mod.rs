//! From a startup message to a session that is ready for its first query.
//!
//! - [`passthrough`]: the server authenticates the client, and the proxy carries their words.
//!
//! Another way plugs in here as another variant of [`Authentication`]: it is given the client's
//! channel and startup message, and gives back the same [`LoggedIn`].

pub mod passthrough;
pub mod sasl;

use bytes::Bytes;

use super::channel::ChannelError;
use super::notice::Refusal;
use crate::wire::startup::CancelKey;

/// Who finds out who a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authentication {
    /// The server. Works for trust, passwords, md5, and SCRAM without channel binding; what the
    /// server knows of the network is the proxy's address and encryption, not the client's.
    Passthrough,
}

/// A session that is ready.
#[derive(Debug)]
pub struct LoggedIn {
    /// The server's own key; none if it gave none.
    pub server_key: Option<CancelKey>,
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
    RefusedByServer,
    /// The proxy refuses; the client has not been told.
    #[error("{}", .0.message)]
    Refused(Refusal),
}
