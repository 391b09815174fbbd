//! Why traffic was not moved.

use std::path::PathBuf;

use super::exchange::WriteError;
use crate::base::Side;
use crate::migration::MigrationError;
use crate::pg;
use crate::proxy::authority::DecisionError;
use crate::proxy::authority::record::RecordError;
use crate::proxy::control::AskError;
use crate::proxy::coordination::tables::Silence;
use crate::store::{self, LockError};

/// Traffic was not moved, or not to the end.
#[derive(Debug, thiserror::Error)]
pub enum CutoverError {
    /// Something stands against it, found while traffic flowed; nothing was held.
    #[error("{problem}")]
    NotReady {
        /// What.
        problem: String,
        /// What to do.
        hint: String,
    },
    /// It was begun and undone; traffic flows where it flowed.
    #[error("traffic was not moved, everything is undone: {problem}")]
    Undone {
        /// Why.
        problem: String,
        /// What to do.
        hint: String,
    },
    /// It was asked to stop before the decision.
    #[error("traffic was not moved, everything is undone: it was asked to stop")]
    Stopped,
    /// Traffic was moved, and something that comes after it was not done.
    #[error("traffic goes to the {to} now, and not everything behind that is done: {problem}")]
    Moved {
        /// Where.
        to: Side,
        /// What was not.
        problem: String,
    },
    /// It is not known whether it was decided: the server that decides does not answer. Clients wait.
    #[error("it is not known whether traffic was moved, and clients wait")]
    Unknown(#[source] DecisionError),
    /// A server failed.
    #[error("{doing} on the {side}")]
    Server {
        /// Which.
        side: Side,
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        source: pg::Error,
    },
    /// The proxy could not be asked.
    #[error("asking the proxy")]
    Proxy(#[from] AskError),
    /// A proxy of another machine could not be asked.
    #[error("asking the proxy {name}")]
    Member {
        /// Where it runs.
        name: String,
        /// Why.
        #[source]
        source: Silence,
    },
    /// Where traffic goes could not be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The other stream could not be made or ended.
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// The stream from the target to the source could not be armed. What the cause calls the source is
    /// that of the stream.
    #[error(
        "the stream back cannot be armed (its source is the target, and its target is the source)"
    )]
    Arm(#[source] Box<MigrationError>),
    /// The stream from the target to the source has not carried everything, or it is not known. What the
    /// cause calls the source is that of the stream.
    #[error(
        "looking what the stream back has carried (its source is the target, and its target is the source)"
    )]
    Carried(#[source] Box<MigrationError>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Somebody else moves traffic in this work directory.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The proxy's configuration could not be written anew; everything before that is done.
    #[error(
        "there is no way back any more, and the proxy's configuration {} was not written anew",
        path.display()
    )]
    NotWritten {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: WriteError,
    },
    /// A process could not be started.
    #[error("starting {what}")]
    Start {
        /// Which.
        what: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl CutoverError {
    /// Something stands against it.
    pub(super) fn not_ready(problem: impl Into<String>, hint: impl Into<String>) -> Self {
        CutoverError::NotReady {
            problem: problem.into(),
            hint: hint.into(),
        }
    }
}

/// Names what was being done on `side` when it failed.
pub(super) fn on(side: Side, doing: &'static str) -> impl Fn(pg::Error) -> CutoverError {
    move |source| CutoverError::Server {
        side,
        doing,
        source,
    }
}
