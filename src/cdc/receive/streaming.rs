//! Whether the source is asked for large transactions while they are in progress.
//!
//! It is, until it fails at it. Decoding what has not ended yet takes more of a server than
//! decoding what is committed: seen on 17.10 and 18.4, a table altered in a savepoint that was
//! rolled back, and then once more, ends the stream with an internal error, time and again, and
//! with `streaming` off it does not. So after an internal error it is off for the rest of the
//! migration, as the file [`OFF`] beside the segments says, and the source keeps such transactions
//! until they are committed.

use std::path::Path;

use crate::base::durable_file;
use crate::pg;
use crate::segment;

use super::error::ReceiveError;

/// Where it stands that streaming is off, and why.
const OFF: &str = "streaming.off";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Streaming {
    /// Large transactions while they are in progress.
    InProgress,
    /// Every transaction when it is committed.
    Committed,
}

impl Streaming {
    /// What the folder of the segments says.
    pub(super) fn of(folder: &Path) -> Self {
        match folder.join(OFF).exists() {
            true => Streaming::Committed,
            false => Streaming::InProgress,
        }
    }

    /// What to make of `error`, with which the stream has ended. If it may be due to what was
    /// asked for, less is asked for from now on; that is durable when this returns.
    pub(super) fn judge(self, error: ReceiveError, folder: &Path) -> ReceiveError {
        let error = match error {
            ReceiveError::Source(error) if self == Streaming::InProgress && is_internal(&error) => {
                error
            }
            other => return other,
        };
        let path = folder.join(OFF);
        match durable_file::replace(&path, format!("{error}\n").as_bytes()) {
            Ok(()) => ReceiveError::InProgress(error),
            Err(source) => ReceiveError::Segment(segment::Error::Io {
                doing: "writing",
                path,
                source,
            }),
        }
    }
}

/// Whether the server has failed at something that it should be able to do: class XX.
fn is_internal(error: &pg::Error) -> bool {
    error
        .sqlstate()
        .is_some_and(|state| state.starts_with("XX"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Remedy;
    use crate::pg::ServerError;

    fn failed(sqlstate: &str) -> ReceiveError {
        let error = ServerError {
            sqlstate: sqlstate.into(),
            message: "could not map filenumber \"base/5/16944\" to relation OID".into(),
            ..ServerError::default()
        };
        ReceiveError::Source(error.into())
    }

    #[test]
    fn after_an_internal_error_less_is_asked_for_and_the_next_such_error_is_the_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = Streaming::of(folder.path());
        let error = first.judge(failed("57P01"), folder.path());
        assert!(matches!(error, ReceiveError::Source(_)), "{error:?}");
        assert_eq!(Streaming::of(folder.path()), first);
        let error = first.judge(failed("XX000"), folder.path());
        assert_eq!(error.remedy(), Remedy::Retry);
        let second = Streaming::of(folder.path());
        assert_eq!(second, Streaming::Committed);
        let error = second.judge(failed("XX000"), folder.path());
        assert_eq!(error.remedy(), Remedy::AskOperator);
    }
}
