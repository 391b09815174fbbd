//! Why a table could not be completed.

use crate::base::{QualifiedName, Remedy};
use crate::pg;

/// A statement on the target failed.
#[derive(Debug, thiserror::Error)]
pub enum CompletionError {
    /// Making an index.
    #[error("building index {name} on the target")]
    Build {
        /// Which.
        name: QualifiedName,
        /// Why.
        #[source]
        source: pg::Error,
    },
    /// Making the constraint of an index, or what else belongs to one.
    #[error("adding the constraint of index {index} on the target")]
    Constrain {
        /// Of which index.
        index: QualifiedName,
        /// Why.
        #[source]
        source: pg::Error,
    },
    /// Vacuuming or analyzing.
    #[error("vacuuming {table} on the target")]
    Vacuum {
        /// Which.
        table: QualifiedName,
        /// Why.
        #[source]
        source: pg::Error,
    },
    /// Everything was built, and then something was not there.
    #[error("index {name} was built on the target and is not there any more")]
    Lost {
        /// The first that is missing.
        name: QualifiedName,
    },
    /// Several went wrong; each was logged.
    #[error("{failed} indexes and constraints could not be made on the target; the first")]
    Many {
        /// How many.
        failed: usize,
        /// The first.
        #[source]
        first: Box<CompletionError>,
    },
    /// Connecting.
    #[error("connecting to the target for indexes")]
    Connect(#[source] pg::Error),
    /// A worker could not be run.
    #[error("running an index worker: {0}")]
    Thread(String),
}

impl CompletionError {
    /// What the target said, if it said anything.
    pub fn server_error(&self) -> Option<&pg::Error> {
        match self {
            CompletionError::Build { source, .. }
            | CompletionError::Constrain { source, .. }
            | CompletionError::Vacuum { source, .. }
            | CompletionError::Connect(source) => Some(source),
            CompletionError::Many { first, .. } => first.server_error(),
            CompletionError::Lost { .. } | CompletionError::Thread(_) => None,
        }
    }

    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            CompletionError::Build { source, .. }
            | CompletionError::Constrain { source, .. }
            | CompletionError::Vacuum { source, .. }
            | CompletionError::Connect(source) => source.remedy(),
            CompletionError::Lost { .. } => Remedy::Retry,
            CompletionError::Many { first, .. } => first.remedy(),
            CompletionError::Thread(_) => Remedy::Bug,
        }
    }
}
