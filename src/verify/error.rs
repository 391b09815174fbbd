//! Why nothing, or not everything, could be compared.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::base::{Remedy, Side};
use crate::catalog::filters::FilterError;
use crate::pg;
use crate::store::{self, LockError, WorkDirError};

/// The comparison could not go on.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A server failed.
    #[error("comparing: {doing} on the {side}")]
    Server {
        /// Which one.
        side: Side,
        /// What was being done.
        doing: &'static str,
        /// What it said.
        #[source]
        source: pg::Error,
    },
    /// The filters.
    #[error(transparent)]
    Filters(#[from] FilterError),
    /// The servers do not compute the same hash of the same text.
    #[error("source and target hash the same text to different numbers, so sums say nothing")]
    HashesDiffer,
    /// Source and target are one database.
    #[error("source and target are the same database")]
    SameDatabase,
    /// What an earlier run has found is of another comparison.
    #[error("{} is of another comparison: {difference}", path.display())]
    OtherComparison {
        /// The file.
        path: PathBuf,
        /// What is different.
        difference: String,
    },
    /// The file of what was found cannot be used.
    #[error("{doing} {}", path.display())]
    Journal {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The work directory cannot be used.
    #[error(transparent)]
    WorkDir(#[from] WorkDirError),
    /// Another comparison is running there.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The store of the migration cannot be read.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// No running migration can be compared there.
    #[error("{problem}")]
    NoStream {
        /// Why.
        problem: String,
        /// What to do.
        hint: &'static str,
    },
    /// Apply does not stand still, or the source gives no snapshot, in time.
    #[error("{what} within {} s", waited.as_secs())]
    NotInTime {
        /// What did not happen.
        what: &'static str,
        /// How long that was waited for.
        waited: Duration,
        /// What to do.
        hint: &'static str,
    },
    /// Asked to stop.
    #[error("stopped before everything was compared")]
    Stopped,
}

impl CompareError {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            CompareError::Server { source, .. } => source.remedy(),
            CompareError::Store(source) => source.remedy(),
            CompareError::HashesDiffer => Remedy::AskOperator,
            CompareError::NotInTime { .. } => Remedy::Retry,
            CompareError::Journal { .. } | CompareError::Stopped => Remedy::Retry,
            CompareError::Filters(_)
            | CompareError::SameDatabase
            | CompareError::OtherComparison { .. }
            | CompareError::NoStream { .. }
            | CompareError::WorkDir(_)
            | CompareError::Lock(_) => Remedy::FixArguments,
        }
    }

    /// What the operator can do.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            CompareError::Server { source, .. } => return source.hint(),
            CompareError::Filters(error) => return error.hint(),
            CompareError::HashesDiffer => {
                "servers of another byte order or of another make cannot be compared in this way; \
                 --counts-only compares how many rows there are"
            }
            CompareError::NoStream { hint, .. } | CompareError::NotInTime { hint, .. } => hint,
            CompareError::SameDatabase => "name another database with --target",
            CompareError::OtherComparison { .. } => {
                "leave --resume out to begin anew, or name another work directory with --dir"
            }
            CompareError::Journal { .. } => {
                "see to the disk and the file's owner; or leave --dir out"
            }
            CompareError::Stopped => "what was found equal is kept where --dir was given: --resume",
            CompareError::WorkDir(_) | CompareError::Lock(_) | CompareError::Store(_) => {
                return None;
            }
        };
        Some(hint.to_owned())
    }
}

/// What wraps a server's error.
pub(super) fn on(side: Side, doing: &'static str) -> impl Fn(pg::Error) -> CompareError {
    move |source| CompareError::Server {
        side,
        doing,
        source,
    }
}
