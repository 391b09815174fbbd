//! Why a session could not be moved.

use std::fmt;

use crate::base::Remedy;
use crate::proxy::channel::ChannelError;
use crate::wire::WireError;

/// Characters of a name that are shown.
const SHOWN_MAX: usize = 80;

/// What ended a move.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// The connection is of no more use.
    #[error("the connection to the server was lost")]
    Channel(#[from] ChannelError),
    /// The server says what has no place here. The connection is of no more use.
    #[error("the server's answer makes no sense: {0}")]
    Odd(&'static str),
    /// The old server does not tell what the session holds. The session is as it was.
    #[error("the server refused to tell what the session holds (SQLSTATE {sqlstate})")]
    NotTold {
        /// Why.
        sqlstate: String,
    },
    /// More than is carried. The session is as it was.
    #[error("the session holds more than {} MiB", .bytes_max >> 20)]
    TooLarge {
        /// How much would have been.
        bytes_max: usize,
    },
    /// The new server does not make something.
    #[error("the new server refused {part} (SQLSTATE {sqlstate})")]
    Refused {
        /// What.
        part: Part,
        /// Why.
        sqlstate: String,
    },
    /// Somebody else holds the lock on the new server.
    #[error("{0} is held by another session on the new server")]
    LockIsTaken(Part),
    /// A type that the new server does not have.
    #[error("the new server has no {0}")]
    NoType(Part),
    /// A statement that was prepared by a text from which it cannot be told with certainty.
    #[error("{0} was prepared by a text that cannot be said again")]
    NotRepeatable(Part),
}

impl MoveError {
    /// Whether the old session can go on as if nothing had been asked; of errors of
    /// [`super::take`].
    pub fn leaves_session_usable(&self) -> bool {
        matches!(self, MoveError::NotTold { .. } | MoveError::TooLarge { .. })
    }

    /// What to do about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            MoveError::Channel(_) | MoveError::LockIsTaken(_) => Remedy::Retry,
            MoveError::Odd(_) => Remedy::Bug,
            MoveError::NotTold { .. }
            | MoveError::TooLarge { .. }
            | MoveError::Refused { .. }
            | MoveError::NoType(_)
            | MoveError::NotRepeatable(_) => Remedy::AskOperator,
        }
    }
}

impl From<WireError> for MoveError {
    fn from(error: WireError) -> Self {
        MoveError::Channel(error.into())
    }
}

/// One of the things that a session holds, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Nothing in particular: the transaction around the rest.
    Whole,
    /// A setting, by its name.
    Setting(String),
    /// Another user than the one who logged in.
    SessionAuthorization(String),
    /// What SET ROLE chose.
    Role(String),
    /// A prepared statement, by its name.
    Statement(String),
    /// A data type.
    Type(String),
    /// A channel that is listened to.
    Channel(String),
    /// An advisory lock, by its key.
    Lock(String),
}

impl Part {
    /// A name as it may go to a log.
    pub(super) fn name(bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes);
        let mut shown: String = text.chars().take(SHOWN_MAX).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        shown.replace(char::is_control, "?")
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Whole => write!(f, "a transaction"),
            Part::Setting(name) => write!(f, "setting {name}"),
            Part::SessionAuthorization(name) => write!(f, "session authorization {name}"),
            Part::Role(name) => write!(f, "role {name}"),
            Part::Statement(name) => write!(f, "prepared statement {name}"),
            Part::Type(name) => write!(f, "type {name}"),
            Part::Channel(name) => write!(f, "LISTEN {name}"),
            Part::Lock(key) => write!(f, "advisory lock {key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_of_one_line_in_a_log() {
        assert_eq!(Part::name(b"a\n\x1b[1mb\xff"), "a??[1mb\u{fffd}");
        assert_eq!(Part::name("ä".repeat(90).as_bytes()).chars().count(), 81);
        let error = MoveError::LockIsTaken(Part::Lock("(1, 2)".to_owned()));
        assert_eq!(
            error.to_string(),
            "advisory lock (1, 2) is held by another session on the new server"
        );
        assert!(!error.leaves_session_usable());
        assert_eq!(
            MoveError::TooLarge {
                bytes_max: 16 << 20
            }
            .to_string(),
            "the session holds more than 16 MiB"
        );
    }
}
